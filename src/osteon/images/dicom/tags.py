"""Facts about the film from its header, in a closed vocabulary: no free text of a file ever leaves."""

import re
import unicodedata

from pydicom._uid_dict import UID_dictionary

from osteon.images.dicom.header import Header

_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
_SMALLEST, _LARGEST = 0.005, 10.0  # mm; a detector's pixel is 0.05 to 0.3, nothing outside of these is a distance

_VIEWS = {
    "ap": "AP ANTEROPOSTERIOR",
    "pa": "PA POSTEROANTERIOR DP DORSOPALMAR DORSOVOLAR",
    "lateral": "LATERAL LAT LL RL LLAT RLAT LEFTLATERAL RIGHTLATERAL ML LM MEDIOLATERAL LATEROMEDIAL",
    "oblique": "OBLIQUE OBL RLO LLO RO LO RAO LAO RPO LPO APO PAO",
    "axial": "AXIAL AX AXIALPROJECTION SKYLINE SUNRISE MERCHANT TANGENTIAL",
    "frog": "FROG FROGLEG FROGLATERAL LAUENSTEIN",
}
# PS3.16 CID 4010, SNOMED CT and the older SNOMED RT.
_VIEW_CODES = {
    "ap": "399348003 R-10206",
    "pa": "272479007 R-40888 R-10214",
    "lateral": "399067008 R-102CD 399198007 R-10232 399173006 R-10236 399260004 R-10224 399352003 R-10228",
    "oblique": (
        "399182000 R-102C1 399236003 R-10234 399184004 R-10238 260427002 R-40783 260426006 R-40782 399312000 R-10208 "
        "399059000 R-10216 399038007 R-10210 399006002 R-10212 399356000 R-40985 399135007 R-10220"
    ),
    "axial": "399061009 R-10241",
}
# PS3.16 annex L's defined terms, and how archives write them in English, German, French, Spanish and Italian.
_PARTS = {
    "hip": "HIP HIPS HIPJOINT HUEFTE HUEFTGELENK HANCHE CADERA ANCA",
    "pelvis": "PELVIS PELVISHIP BECKEN BECKENUEBERSICHT BASSIN BACINO",
    "femur": "FEMUR THIGH UPPERLEG OBERSCHENKEL CUISSE MUSLO FEMORE",
    "knee": "KNEE KNEES KNEEJOINT KNIE KNIEGELENK GENOU RODILLA GINOCCHIO",
    "patella": "PATELLA ROTULE ROTULA KNIESCHEIBE",
    "leg": "LEG LEGS LOWERLEG TIBIA FIBULA TIBFIB TIBIAFIBULA UNTERSCHENKEL BEIN JAMBE PIERNA GAMBA",
    "ankle": "ANKLE ANKLES ANKLEJOINT SPRUNGGELENK OSG CHEVILLE TOBILLO CAVIGLIA",
    "calcaneus": "CALCANEUS HEEL FERSE FERSENBEIN CALCANEUM CALCANEO",
    "foot": "FOOT FEET FUSS PIED PIE PIEDE VORFUSS FOREFOOT",
    "toe": "TOE TOES ZEHE ZEHEN ORTEIL",
    "hand": "HAND HANDS HAENDE MAIN MANO",
    "finger": "FINGER FINGERS DOIGT DEDO",
    "thumb": "THUMB DAUMEN POUCE PULGAR",
    "wrist": "WRIST WRISTS HANDGELENK POIGNET MUNECA POLSO",
    "forearm": "FOREARM RADIUS ULNA RADIUSULNA UNTERARM AVANTBRAS ANTEBRAZO AVAMBRACCIO",
    "elbow": "ELBOW ELBOWS ELLENBOGEN ELLBOGEN COUDE CODO GOMITO",
    "humerus": "HUMERUS UPPERARM OBERARM BRAS HUMERO",
    "shoulder": "SHOULDER SHOULDERS SCHULTER SCHULTERGELENK EPAULE HOMBRO SPALLA",
    "scapula": "SCAPULA SCHULTERBLATT OMOPLATE ESCAPULA",
    "clavicle": "CLAVICLE CLAVICULA SCHLUESSELBEIN CLAVICULE CLAVICOLA ACJOINT",
    "sternum": "STERNUM BRUSTBEIN",
    "ribs": "RIB RIBS RIPPEN COTES COSTILLAS",
    "cervical spine": "CSPINE CERVICALSPINE HWS CERVICAL",
    "thoracic spine": "TSPINE THORACICSPINE BWS DSPINE DORSALSPINE THORACIC",
    "lumbar spine": "LSPINE LUMBARSPINE LWS LUMBAR LSSPINE LUMBOSACRALSPINE",
    "sacrum": "SSPINE SACRUM SACRALSPINE SIJOINT COCCYX SACROCOCCYX",
    "spine": "SPINE WHOLESPINE FULLSPINE CTSPINE TLSPINE WIRBELSAEULE RACHIS COLUMNA",
    "chest": "CHEST THORAX TORAX LUNG",
    "abdomen": "ABDOMEN BAUCH",
    "skull": "SKULL HEAD SCHAEDEL CRANE CRANEO CRANIO",
    "jaw": "JAW MANDIBLE MAXILLA TMJ",
    "arm": "ARM ARMS BRAZO BRACCIO",
    "extremity": "EXTREMITY EXTREMITIES LOWEREXTREMITY UPPEREXTREMITY LOWERLIMB UPPERLIMB",
}


def _turned(words: dict[str, str]) -> dict[str, str]:
    return {word: name for name, several in words.items() for word in several.split()}


_VIEW_OF, _CODE_OF, _PART_OF = _turned(_VIEWS), _turned(_VIEW_CODES), _turned(_PARTS)


def spacing(header: Header) -> tuple[tuple[float, float] | None, str]:
    """Return mm a row and mm a column of the original pixels, and the keyword they are from; none where all lie.

    The distance at the detector is not corrected for magnification.
    """
    for keyword in _SPACINGS:
        found = header.numbers(keyword)
        if len(found) == 2 and all(_SMALLEST <= one <= _LARGEST for one in found):
            return (found[0], found[1]), keyword
    return None, ""


def laterality(header: Header) -> str | None:
    """Return `L` or `R`; None for both, neither, or what is no side."""
    for keyword in ("ImageLaterality", "Laterality", "FrameLaterality"):
        found = header.text(keyword)
        if found:  # a film of both sides is not of the side of its series
            return found if found in {"L", "R"} else None
    return None


def view(header: Header) -> str | None:
    """Return `ap`, `pa`, `lateral`, `oblique`, `axial` or `frog`; None for what is none of these."""
    found = _VIEW_OF.get(_plain(header.text("ViewPosition")))
    codes = (_CODE_OF.get(item.text("CodeValue")) for item in header.items("ViewCodeSequence"))
    return found or next((code for code in codes if code), None)


def body_part(header: Header) -> str | None:
    """Return a part in lower-case English; None for what is not known or cannot be read."""
    return _PART_OF.get(_plain(header.text("BodyPartExamined")))


def sop_class(header: Header) -> str:
    """Return the name that the standard gives to the kind of object."""
    return UID_dictionary.get(header.text("SOPClassUID"), ("unknown",))[0]


def _plain(text: str) -> str:
    """Return letters only: umlauts spelled out, accents dropped."""
    for umlaut, spelled in (("Ä", "AE"), ("Ö", "OE"), ("Ü", "UE")):
        text = text.replace(umlaut, spelled)
    return re.sub(r"[^A-Z]", "", unicodedata.normalize("NFKD", text[:64]))
