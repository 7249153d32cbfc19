"""Attention over the patches of images of many sizes, masked where an image was padded: one graph a mode."""

import copy

import torch
from beside import QUICK
from torch.nn.functional import cross_entropy, max_pool2d, scaled_dot_product_attention

from dynconstraints import declare
from dynconstraints.pytorch.install.observe import observe

torch.set_num_threads(1)
SIZES = [(2, 64, 96), (3, 128, 64), (5, 96, 96), (2, 160, 64)]


class Masked(torch.nn.Module):
    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.patches, self.norm = torch.nn.Conv2d(3, width, 16, 16), torch.nn.BatchNorm2d(width)
        self.attention, self.head = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, 4)

    def forward(self, images: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Classes of images; ``mask`` is true where there is an image, and not what it was padded with."""
        seen = max_pool2d(mask.float(), 16).flatten(1) > 0
        q, k, v = self.attention(self.norm(self.patches(images)).flatten(2).transpose(1, 2)).chunk(3, -1)
        mixed = scaled_dot_product_attention(q, k, v, seen[:, None])
        return self.head((mixed * seen[..., None]).sum(1) / seen.sum(1, keepdim=True))


def results(model: torch.nn.Module) -> list[torch.Tensor]:
    """What the model says of padded images, and, as it learns, the gradients of its first weights."""
    found = []
    for learns in (True, False):
        model.train(learns)
        for batch, height, width in SIZES:
            generator = torch.Generator().manual_seed(height)
            images = torch.randn(batch, 3, height, width, generator=generator)
            mask = torch.ones(batch, height, width, dtype=torch.bool)
            images[1, :, 48:], mask[1, 48:] = 0.0, False
            with torch.set_grad_enabled(learns):
                found.append(model(images, mask))
            if learns:
                model.zero_grad()
                cross_entropy(found[-1], torch.arange(batch) % 4).backward()
                found.append(model.patches.weight.grad.clone())
    return found


eager = Masked()
model = declare(
    copy.deepcopy(eager), images="b 3 h w", mask="b h w",
    constraints=["h % 16 == 0", "w % 16 == 0", "32 <= h <= 2048", "32 <= w <= 2048", "2 <= b <= 64"],
)  # fmt: skip
model.compile(backend="aot_eager" if QUICK else "inductor", fullgraph=True)
with observe() as frames:
    same = [torch.allclose(a, b, atol=1e-5) for a, b in zip(results(model), results(eager), strict=True)]
print(f"graphs: {len(frames)}, equal to eager: {all(same)}")
