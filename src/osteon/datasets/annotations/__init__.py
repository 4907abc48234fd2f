"""Files of boxes, whatever collection they belong to: COCO JSON, PASCAL VOC and YOLO, read by class name."""

from osteon.datasets.annotations.box import AnnotationError, Box, cell, differ, drawn
from osteon.datasets.annotations.coco import Coco, read_coco
from osteon.datasets.annotations.size import size_of
from osteon.datasets.annotations.voc import Voc, read_voc
from osteon.datasets.annotations.yolo import Share, names_near, pixels, read_yolo

__all__ = [
    "AnnotationError",
    "Box",
    "Coco",
    "Share",
    "Voc",
    "cell",
    "differ",
    "drawn",
    "names_near",
    "pixels",
    "read_coco",
    "read_voc",
    "read_yolo",
    "size_of",
]
