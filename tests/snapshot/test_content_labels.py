"""Folders and collections are called what the snapshot says, by environment, kind and id."""

from __future__ import annotations

from permmigrate.model import ContentKind, ContentRef
from random_accounts import account


def test_every_folder_and_collection_has_its_label() -> None:
    """Looked up and listed alike; what the snapshot does not have has none."""
    for seed in range(500, 505):
        taken = account(seed).snapshot
        expected = {
            **{ContentRef(f.environment_id, ContentKind.FOLDER, f.id): f.path for f in taken.folders},
            **{ContentRef(c.environment_id, ContentKind.COLLECTION, c.id): c.name for c in taken.collections},
        }
        labels = taken.content_labels

        assert expected == dict(labels.items())
        assert len(expected) == len(labels)
        for one in expected:
            assert one in labels
            other = ContentKind.COLLECTION if one.kind is ContentKind.FOLDER else ContentKind.FOLDER
            assert ContentRef(one.environment_id, other, "nowhere") not in labels
