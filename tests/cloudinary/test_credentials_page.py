"""What docs/credentials.md says is what is done."""

from __future__ import annotations

import re
from pathlib import Path

from permmigrate.cloudinary import settingsfile
from permmigrate.cloudinary.places import CA_VARIABLES
from permmigrate.cloudinary.sources import find

PAGE = (Path(__file__).parents[2] / "docs" / "credentials.md").read_text(encoding="utf-8")


def test_the_example_file_is_one(tmp_path: Path) -> None:
    """The TOML block can be copied as it stands, and gives what it says."""
    block = re.search(r"```toml\n(.+?)```", PAGE, re.DOTALL)
    assert block is not None
    path = tmp_path / settingsfile.NAME
    path.write_text(block[1].replace('cld = ["production"]', ""), encoding="utf-8")

    found = find({}, folder=tmp_path, home=tmp_path)

    assert "ACCOUNT_ID" == found.credentials().account_id
    assert {"CLOUD_NAME"} == set(found.environments)
    assert "https://api-eu.cloudinary.com" == found.api_url.value
    assert found.proxy is not None
    assert found.ca_bundle is not None


def test_every_variable_it_names_is_read() -> None:
    """No name is left from another version."""
    sources = Path(find.__code__.co_filename).parent
    code = "".join(path.read_text(encoding="utf-8") for path in sources.glob("*.py")).lower()
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)[=`]", PAGE)) - {"CLOUDINARY_URL_PROD", "CLOUDINARY_URL"}

    assert set(CA_VARIABLES) <= named
    for name in named:
        assert name.lower() in code or name.lower().replace("https", "{url.scheme}") in code, name
