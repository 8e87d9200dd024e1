"""Model folders for tests."""

import shutil

import torch
from safetensors.torch import load_file, save_file


def drifted(source, folder, seed):
    """A copy of a model whose weights have moved a little."""
    shutil.copytree(source, folder)
    generator = torch.Generator().manual_seed(seed)
    moved = {
        name: tensor + 0.02 * torch.randn(tensor.shape, generator=generator)
        for name, tensor in load_file(folder / "model.safetensors").items()
    }
    save_file(moved, folder / "model.safetensors", {"format": "pt"})
    return folder
