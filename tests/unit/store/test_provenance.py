"""Where a result comes from, without the place it was made at."""

from src.store.provenance import commit, provenance


def test_provenance_names_the_commit_and_no_place():
    assert commit()
    assert not any("/" in value for value in provenance().values())
