"""Hip phantoms as DICOM: what was encoded is what independent decoders read, headers are whole, people are invented."""

import io
import json
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.encaps import get_frame
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from osteon.images import decode
from osteon.phantoms.dicom import file_bytes
from osteon.phantoms.film import Subject, film
from osteon.phantoms.headers import Shot
from osteon.phantoms.person import BETWEEN, Person, person
from osteon.phantoms.storing import BITS, SYNTAXES, VOIS, Storage, storage

FILM = film(Subject("hip", 5, True), "frontal", 128, (3, 1), (), 16)
PLAIN = Storage("1.2.840.10008.1.2.1", 12, False, 200, 3900, "window", 1.0, 0.0, True)
SHOT = Shot((0, 128), 1, 1, "HIP", "L", "AP", FILM.spacing)
EXPLICIT, IMPLICIT, RLE, LOSSLESS, LS, J2K = SYNTAXES


def someone(patient: int = 0, age: int = 69, seed: int = 0) -> Person:
    who = {"sex": "F", "age_years": age, "site": "north"}
    return person(seed, patient, who, np.random.default_rng(patient))


def written(how: Storage, shot: Shot = SHOT) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(file_bytes(FILM.pixels, someone(), shot, how)))


def by_another(data: pydicom.Dataset) -> np.ndarray:
    """Decode with a library that did not encode: values as they are in the file."""
    shape, syntax = (data.Rows, data.Columns), data.file_meta.TransferSyntaxUID
    if syntax in (EXPLICIT, IMPLICIT):
        return np.frombuffer(data.PixelData, "<u2").reshape(shape)
    if syntax == RLE:
        data.pixel_array_options(decoding_plugin="pydicom")
        return data.pixel_array
    if syntax == J2K:
        data.pixel_array_options(decoding_plugin="gdcm")
        return data.pixel_array
    stream = get_frame(data.PixelData, 0, number_of_frames=1)
    return imagecodecs.ljpeg_decode(stream) if syntax == LOSSLESS else imagecodecs.jpegls_decode(stream)


def shown(data: pydicom.Dataset, values: np.ndarray) -> np.ndarray:
    """Return what a viewer shows, 0..1 with white bone, by pydicom's own lookup tables; inverted here."""
    if "VOILUTSequence" in data:
        share = apply_voi_lut(values, data) / 65535
    else:
        low, step = float(data.RescaleIntercept), float(data.RescaleSlope)
        full = step * (2**data.BitsStored - 1)  # pydicom's window ends at the values that the bits can hold
        share = (apply_voi_lut(apply_modality_lut(values, data), data) - low) / full
    return np.asarray(1 - share if data.PhotometricInterpretation == "MONOCHROME1" else share)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("bits", BITS)
def test_other_decoders_read_the_values_that_were_encoded(syntax: str, bits: int) -> None:
    top = 2**bits - 1
    how = replace(PLAIN, syntax=syntax, bits=bits, low=top // 10, high=top, inverted=bits == 12)
    data = written(how)
    expected = np.rint(FILM.pixels / 65535 * (top - top // 10)) + top // 10
    expected = top - expected if how.inverted else expected
    values = by_another(data)
    assert values.max() <= top
    assert np.abs(values - expected).max() <= 1, "rounding in single precision"
    assert (values == how.stored(FILM.pixels)).all()


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("voi", [voi for voi in VOIS if voi != "none"])
@pytest.mark.parametrize("rescale", [(1.0, 0.0), (2.0, -1024.0), (0.5, 100.0)])
def test_a_viewer_shows_the_film_that_was_drawn(inverted: bool, voi: str, rescale: tuple[float, float]) -> None:
    if voi == "lut" and rescale != (1.0, 0.0):
        pytest.skip("a lookup table is written for values that are not rescaled")
    how = replace(PLAIN, inverted=inverted, voi=voi, slope=rescale[0], intercept=rescale[1])
    data = written(how)
    found = shown(data, by_another(data)) * 255
    assert np.abs(found - FILM.pixels / 257).max() < 0.2


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("voi", VOIS)
def test_our_reader_gives_the_film_that_was_drawn(syntax: str, inverted: bool, voi: str) -> None:
    """As the plain film of 8 bits; without a window as the percentiles of that film."""
    how = replace(PLAIN, syntax=syntax, inverted=inverted, voi=voi)
    found = decode(file_bytes(FILM.pixels, someone(), SHOT, how))
    low, high = np.percentile(FILM.pixels, (0.5, 99.5)) if voi == "none" else (0, 65535)
    expected = ((FILM.pixels - low) / (high - low)).clip(0, 1) * 255
    assert np.abs(found.pixels - expected).max() <= 1.01
    assert (found.laterality, found.body_part, found.view) == ("L", "hip", "ap")
    assert found.spacing == pytest.approx((FILM.spacing, FILM.spacing), abs=1e-5)


def test_a_window_by_hand() -> None:
    """100 is black and 103 white, as PS3.3 C.11.2.1.2.1 has it: (x - (c - 0.5)) / (w - 1) + 0.5 is 0 and 1."""
    data = written(replace(PLAIN, bits=10, low=100, high=103))
    centre, width = float(data.WindowCenter), float(data.WindowWidth)
    assert (centre, width) == (102.0, 4.0)
    assert [(x - (centre - 0.5)) / (width - 1) + 0.5 for x in (100, 103)] == pytest.approx([0, 1])
    turned = written(replace(PLAIN, bits=10, low=100, high=103, inverted=True))
    assert (float(turned.WindowCenter), float(turned.WindowWidth)) == (1023 - 103 + 2, 4.0)


def test_scale_is_the_drawing_s() -> None:
    """A film of twice the pixels has half the spacing, and shows the hip's field of some 195 mm."""
    fine = film(Subject("hip", 5, True), "frontal", 256, (3, 1), (), 16)
    assert fine.spacing == pytest.approx(FILM.spacing / 2)
    assert 150 < max(FILM.pixels.shape) * FILM.spacing < 250
    both, one = written(PLAIN), written(replace(PLAIN, both_spacings=False))
    assert [float(v) for v in both.PixelSpacing] == pytest.approx([FILM.spacing] * 2, abs=1e-5)
    assert "PixelSpacing" not in one
    assert one.ImagerPixelSpacing == both.PixelSpacing


@pytest.mark.skipif(shutil.which("dcm2pnm") is None, reason="dcmtk is not installed")
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, RLE, LOSSLESS, LS])
@pytest.mark.parametrize("inverted", [False, True])
def test_dcmtk_shows_the_film_that_was_drawn(syntax: str, inverted: bool, tmp_path: Path) -> None:
    data = file_bytes(FILM.pixels, someone(), SHOT, replace(PLAIN, syntax=syntax, inverted=inverted))
    source, plain, image = (tmp_path / name for name in ("a.dcm", "b.dcm", "c.pgm"))
    source.write_bytes(data)
    tool = {LOSSLESS: "dcmdjpeg", LS: "dcmdjpls"}.get(syntax, "dcmconv")
    for call in ([tool, source, plain], ["dcm2pnm", "+Wi", "1", "+opb", plain, image]):
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert np.abs(cv2.imread(str(image), 0).astype(float) - FILM.pixels / 257).max() <= 2
    said = subprocess.run(["dcmdump", "-q", source], capture_output=True, text=True, check=True)
    assert not said.stderr


def test_every_way_of_storing_is_met_and_fits() -> None:
    drawn = [storage(rng.random(), rng) for rng in map(np.random.default_rng, range(400))]
    assert {how.syntax for how in drawn} == set(SYNTAXES)
    assert {how.bits for how in drawn} == set(BITS)
    assert {how.voi for how in drawn} == set(VOIS)
    assert 0.3 < np.mean([how.inverted for how in drawn]) < 0.5
    assert all(0 <= how.low < how.high < 2**how.bits for how in drawn)
    assert min(how.high - how.low for how in drawn) > 512, "more levels than a picture of 8 bits has"


def test_people_are_told_apart_and_their_ages_hold() -> None:
    people = [someone(patient, 22 + patient % 77) for patient in range(5000)]
    for values in ({one.name for one in people}, {one.record for one in people}):
        assert len(values) == len(people)
    for one in people:
        for day in (one.day(1), one.day(2)):
            had = (day.month, day.day) >= (one.born.month, one.born.day)
            assert day.year - one.born.year - (not had) == one.age
        assert (one.day(2) - one.day(1)).days == BETWEEN
        assert isinstance(one.born, date)
        assert len(one.accession(2)) <= 16, "VR SH"


def test_planted_strings_stand_in_headers_and_names(roots: dict[str, Path]) -> None:
    root = roots["hip"]
    planted = json.loads((root / "planted.json").read_text())
    table = pd.read_csv(root / "labels.csv")
    headers = [pydicom.dcmread(root / path, stop_before_pixels=True) for path in table["path"]]
    found = {
        "records": {data.PatientID for data in headers},
        "accessions": {data.AccessionNumber for data in headers},
        "hospitals": {data.InstitutionName for data in headers},
        "referrers": {str(data.ReferringPhysicianName) for data in headers},
        "exam_dates": {data.StudyDate for data in headers},
        "free_text": {str(data[key].value) for data in headers for key in ("StudyDescription", "PatientComments")},
        "files": {Path(path).stem for path in table["path"]},
    }
    for kind, strings in found.items():
        assert set(planted[kind]) == strings, kind
    assert {str(data.PatientName) for data in headers} < set(planted["names"])
    assert {data.PatientBirthDate for data in headers} < set(planted["birth_dates"])
    assert set(table["patient_id"]) == set(planted["records"])
    assert all(data.PatientName.given_name in path for data, path in zip(headers, table["path"], strict=True))
    assert all("of no patient" in data.ImageComments for data in headers)
    uids = [data.SOPInstanceUID for data in headers]
    assert len(set(uids)) == len(uids)
    assert all(uid.is_valid and uid.startswith("2.25.") for uid in uids)
    studies = pd.Series([data.StudyInstanceUID for data in headers])
    assert (studies.groupby(table["study_id"]).nunique() == 1).all()
    assert studies.nunique() == table["study_id"].nunique()
