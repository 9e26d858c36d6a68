"""The file of decisions (`signoff.json`): canonical, sealed with its own digest, checked when read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from permmigrate.errors import InvalidFileError
from permmigrate.signoff.value import Decided, Decision, Signed

SCHEMA: Final = 1


def encode(signed: Signed) -> str:
    """The decisions as canonical JSON with the sha256 of everything else in it."""
    document = {
        "schema": SCHEMA,
        "kind": "signoff",
        "account_id": signed.account_id,
        "comparison": signed.diff_digest,
        "decided": [
            {
                "cluster": each.cluster,
                "contents": each.contents,
                "decision": each.decision.value if each.decision else None,
                "owner": each.owner,
                "comment": each.comment,
                "date": each.date,
                "where": each.where,
                "findings": list(signed.findings.get(each.cluster, ())),
            }
            for each in signed.decided
        ],
    }
    return _text(document | {"digest": _digest(document)})


def load(path: Path) -> Signed:
    """Read a file of decisions; raises `InvalidFileError` when it is none or was changed."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise InvalidFileError(f"cannot read `{path}`: {error.strerror or error}") from error
    except ValueError:
        raise _none(path) from None
    if not isinstance(document, dict) or document.get("kind") != "signoff":
        raise _none(path)
    if document.get("schema") != SCHEMA:
        raise InvalidFileError(
            f"`{path}` is of another version", hint="run `permmigrate signoff merge` again"
        )
    digest = document.pop("digest", None)
    if digest != _digest(document):
        raise InvalidFileError(
            f"`{path}` was changed after it was written", hint="run `permmigrate signoff merge` again"
        )
    return Signed(
        account_id=document["account_id"],
        diff_digest=document["comparison"],
        decided=tuple(_decided(entry) for entry in document["decided"]),
        findings={entry["cluster"]: tuple(entry["findings"]) for entry in document["decided"]},
    )


def _decided(entry: dict[str, Any]) -> Decided:
    return Decided(
        cluster=entry["cluster"],
        contents=entry["contents"],
        decision=Decision(entry["decision"]) if entry["decision"] else None,
        owner=entry["owner"],
        comment=entry["comment"],
        date=entry["date"],
        where=entry["where"],
    )


def _none(path: Path) -> InvalidFileError:
    hint = "give the signoff.json that `permmigrate signoff merge` wrote"
    return InvalidFileError(f"`{path}` is no file of decisions", hint=hint)


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(_text(document).encode()).hexdigest()


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"
