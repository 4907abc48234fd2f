"""The strings that would identify phantoms' people if they were real: a run on private data must repeat none."""

from collections.abc import Iterable, Sequence

from osteon.phantoms.person import Person


def planted(people: Iterable[tuple[Person, Sequence[tuple[int, int]]]], part: str) -> dict[str, list[str]]:
    """Return every string of these people that a run on private data must not repeat, by kind.

    Args:
        people: who, with the (study, number) of each film.
        part: the body part that titles name.
    """
    kinds: dict[str, set[str]] = {}
    for one, films in people:
        for kind, values in _strings(one, films, part).items():
            kinds.setdefault(kind, set()).update(values)
    return {kind: sorted(values) for kind, values in kinds.items()}


def _strings(one: Person, films: Sequence[tuple[int, int]], part: str) -> dict[str, list[str]]:
    studies = sorted({study for study, _ in films})
    return {
        "names": [one.name, one.given.upper(), one.given],
        "records": [one.record],
        "accessions": [one.accession(study) for study in studies],
        "birth_dates": [f"{one.born:%Y%m%d}", f"{one.born:%d.%m.%Y}"],
        "exam_dates": [f"{one.day(study):%Y%m%d}" for study in studies],
        "free_text": [one.description(part), one.comment()],
        "referrers": [one.referrer],
        "hospitals": [one.hospital],
        "files": [one.file(*film).stem for film in films],
    }
