"""Makes torchvision importable with a torch without CUDA, for which its package is not built.

No model calls the two operators; they belong to object detection.
"""

import torch


def declare() -> None:
    """Declare the operators that torchvision needs when it is imported."""
    if torch.version.cuda is None:
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
