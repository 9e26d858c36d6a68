"""Which columns the page shows of each table, which it filters by, and what opens with a row.

The first entry of a shown column is its heading, then the column in the first line, then those beneath it
(a number there counts others), then its share of the width.
"""

from __future__ import annotations

from typing import Any, Final

_FINDING: Final[dict[str, Any]] = {
    "show": [
        ["Severity", "severity", "", 1.0],
        ["Verdict", "verdict", "", 1.25],
        ["Who", "principal", ["principal_detail", "people"], 2.2],
        ["Can do", "can", "", 2.4],
        ["Where", "region", ["environment"], 2.2],
        ["Because of", "causes", "", 1.7],
    ],
    "phone": ["principal", "can", "region"],
    "facets": ["severity", "verdict", "principal_kind", "region_kind", "causes"],
    "detail": [
        "before",
        "after",
        "capabilities",
        "reason",
        "people",
        "others",
        "causes",
        "region",
        "region_kind",
        "environment",
        "folders",
        "principal_detail",
        "principal_id",
        "last_login",
        "dormant",
        "id",
    ],
    "title": ["principal", "can"],
    "open": "id",
}

LAYOUTS: Final[dict[str, dict[str, Any]]] = {
    "expansions": _FINDING,
    "reductions": {
        **_FINDING,
        "show": [*_FINDING["show"][:5], ["Last login", "last_login", "", 1.5]],
    },
    "undecided": {
        **_FINDING,
        "show": [*_FINDING["show"][:5], ["Why", "reason", "", 2.4]],
        "facets": ["severity", "principal_kind", "region_kind", "causes"],
    },
    "keys": {
        "show": [
            ["Risk", "risk", "", 1.4],
            ["Outcome", "outcome", "", 1.3],
            ["Key", "principal", "principal_id", 2.4],
            ["Environment", "environment", "", 1.6],
            ["Before", "before", "", 2.2],
            ["After", "after", "", 2.2],
        ],
        "phone": ["principal", "risk", "environment"],
        "facets": ["risk", "outcome", "principal_kind", "environment"],
        "detail": [
            "before",
            "after",
            "risk",
            "environment",
            "enabled",
            "gained",
            "maybe_gained",
            "lost",
            "maybe_lost",
            "unknown",
            "principal_id",
        ],
        "title": ["principal", "principal_kind"],
        "open": "principal_id",
        "findings": "principal_id",
    },
    "principals": {
        "show": [
            ["Outcome", "outcome", "", 1.3],
            ["Who", "principal", "principal_detail", 2.6],
            ["Before", "before", "", 2.4],
            ["After", "after", "", 2.4],
            ["Gained", "gained", "", 0.8],
            ["Maybe", "maybe_gained", "", 0.8],
            ["Lost", "lost", "", 0.8],
        ],
        "phone": ["principal", "before", "after"],
        "facets": ["outcome", "principal_kind", "before"],
        "detail": [
            "before",
            "after",
            "gained",
            "maybe_gained",
            "lost",
            "maybe_lost",
            "unknown",
            "admin_before",
            "admin_after",
            "dormant",
            "last_login",
            "principal_detail",
            "principal_id",
        ],
        "title": ["principal", "principal_kind"],
        "open": "principal_id",
        "findings": "principal_id",
    },
    "places": {
        "show": [
            ["Where", "region", "environment", 3.4],
            ["Reach", "region_kind", "", 1.2],
            ["Folders", "folders", "", 0.9],
            ["Principals", "principals", "", 1.0],
            ["Gained", "gained", "", 0.9],
            ["Maybe gained", "maybe_gained", "", 1.2],
            ["Lost", "lost", "", 0.9],
            ["Unknown", "unknown", "", 1.0],
        ],
        "phone": ["region", "region_kind", "environment"],
        "facets": ["environment", "region_kind"],
        "detail": [
            "environment",
            "region",
            "region_kind",
            "content_id",
            "folders",
            "principals",
            "gained",
            "maybe_gained",
            "lost",
            "maybe_lost",
            "unknown",
        ],
        "title": ["region", "environment"],
        "open": "",
        "findings": "region",
    },
    "coverage": {
        "show": [
            ["Row", "ref", "", 1.8],
            ["What it says", "text", "", 4.0],
            ["State", "state", "", 1.0],
            ["Used", "uses", "", 0.8],
            ["Confidence", "confidence", "", 1.2],
        ],
        "phone": ["ref", "text", "state"],
        "facets": ["state", "confidence"],
        "detail": ["ref", "text", "state", "uses", "confidence", "source"],
        "title": ["ref", "state"],
        "open": "ref",
    },
    "hygiene": {
        "show": [
            ["Kind", "kind", "", 1.6],
            ["Who or what", "subject", "", 2.4],
            ["Id", "id", "", 2.0],
            ["Detail", "detail", "", 2.6],
        ],
        "phone": ["subject", "kind", "detail"],
        "facets": ["kind"],
        "detail": ["kind", "subject", "id", "detail"],
        "title": ["subject", "kind"],
        "open": "",
    },
    "ledger": {
        "show": [
            ["Status", "status", "", 1.1],
            ["Area", "area", "", 1.1],
            ["For", "subject", "", 1.8],
            ["Read from", "endpoint", "", 3.4],
            ["Items", "count", "", 0.8],
        ],
        "phone": ["endpoint", "status", "subject"],
        "facets": ["status", "area"],
        "detail": ["status", "area", "subject", "endpoint", "count", "http_status", "detail"],
        "title": ["endpoint", "status"],
        "open": "",
    },
}

ORDERS: Final = {
    "severity": ["critical", "high", "medium", "low"],
    "verdict": ["gained", "maybe gained", "unknown", "lost", "maybe lost", "unchanged"],
}
"""The order of words that have one; everything else sorts by name."""
