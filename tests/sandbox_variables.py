"""The sandbox's credentials as a person would export them."""

from __future__ import annotations

from permmigrate.sandbox import Sandbox


def variables(sandbox: Sandbox, base: str = "http://localhost") -> dict[str, str]:
    """`CLOUDINARY_ACCOUNT_URL`, and a `CLOUDINARY_URL_N` for each environment."""
    env = {"CLOUDINARY_ACCOUNT_URL": sandbox.account_url(base)}
    for number, cloudinary_url in enumerate(sandbox.cloudinary_urls(base), start=1):
        env[f"CLOUDINARY_URL_{number}"] = cloudinary_url
    return env
