import hashlib
import subprocess

import pytest

from osteon.identity import HASH, hash_of

KEY = bytes(range(32))


def by_hand(key: bytes, message: bytes) -> str:
    """HMAC-SHA256 from its definition (RFC 2104): two hashes over a padded key."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).hexdigest()


@pytest.mark.parametrize(
    ("kind", "word", "original"),
    [
        ("p", "patient", "0012"),
        ("s", "study", "2"),
        ("i", "image", "M\u00fcller.png"),
        ("f", "file", "a/b.dcm"),
        ("d", "folder", "/x"),
    ],
)
def test_a_name_is_the_keyed_hash_of_kind_dataset_and_original(kind: str, word: str, original: str) -> None:
    message = f"{word}\0hip\0{original}".encode()
    assert hash_of(KEY, kind, "hip", original) == f"{kind}-{by_hand(KEY, message)[:16]}"


def test_anyone_with_the_key_can_check_a_name_with_openssl() -> None:
    words = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{KEY.hex()}"]
    try:
        said = subprocess.run(words, input=b"patient\0hip\x000012", capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl here")
    assert hash_of(KEY, "p", "hip", "0012").removeprefix("p-") in said


def test_key_kind_dataset_and_id_all_tell() -> None:
    base = (KEY, "p", "hip", "1")
    others = [(KEY[::-1], *base[1:]), (KEY, "s", "hip", "1"), (KEY, "p", "knee", "1"), (KEY, "p", "hip", "01")]
    names = {hash_of(*one).split("-")[1] for one in [base, *others]}
    assert len(names) == 5


def test_hashes_are_found_in_the_ids_made_of_them() -> None:
    one, two = hash_of(KEY, "p", "hip", "1"), hash_of(KEY, "s", "hip", "1")
    assert HASH.findall(f"patient:{one} {one}/{two}/L hip/near:7 x{one} {one}0 q-0123456789abcdef") == [one, one, two]


def test_no_path_of_a_disk_is_too_strange() -> None:
    assert HASH.fullmatch(hash_of(KEY, "f", "hip", "M\udcfcller.png"))
