"""Bounding boxes: one dense, anchor-free head (FCOS, Tian 2019) on the pyramid that all heads share."""

from osteon.heads.detection.head import DetectionHead
from osteon.heads.detection.levels import check_pyramid

__all__ = ["DetectionHead", "check_pyramid"]
