"""What NVIDIA cards can do by their published figures.

Sources: NVIDIA's architecture white papers (Turing, GA102, Ada, RTX Blackwell) for GeForce and TITAN, whose
tensor rate with float32 sums is multiprocessors x 512 x boost clock; its data sheets for workstation and
data-centre cards, halved where they count sparsity. Rates are dense with float32 sums. `vram_gb` is what
the driver tells, error correction as shipped. Not published, and so set low: laptops (at a middling power
limit), the smaller RTX PRO Blackwell, GB10, GB200, GB300. Turing and Volta have no bf16 units: their bf16
rate is that of their float32 units.

Efficiencies are what large matrix products and attention reach of those rates. Hopper SXM: 790 and 560
TFLOP/s, as others measured. GeForce Ampere and Ada: 0.94, by the published 37.5 s a step of MOVA on an RTX 4090. The
others are cautious guesses: cards with a high rate and a low power limit stay far below their rate.
"""

from __future__ import annotations

from dataclasses import dataclass

Capability = tuple[int, int]


@dataclass(frozen=True)
class Card:
    """One model of card.

    Attributes:
        name: as its driver tells it, with form and memory where models differ in them.
        capability: CUDA compute capability.
        vram_gb: memory, GiB.
        bf16_tflops, fp8_tflops, int8_tops: dense rates of its matrix units, 1e12 a second; None where it
            has none of that kind.
        bandwidth_gbs: of its memory, 1e9 bytes a second.
        link_gbs: from RAM, 1e9 bytes a second that are reached in the best slot for it.
        matmul_efficiency, attention_efficiency: part of the rate that large bf16 matrix products and
            attention reach.
    """

    name: str
    capability: Capability
    vram_gb: float
    bf16_tflops: float
    fp8_tflops: float | None
    int8_tops: float | None
    bandwidth_gbs: float
    link_gbs: float
    matmul_efficiency: float
    attention_efficiency: float


# The links of LANE in links.py at 16 and 8 lanes, and NVLink-C2C between Grace and its GPU.
GEN3, GEN3_X8, GEN4, GEN4_X8, GEN5, GEN5_X8, C2C = 12.6, 6.3, 25.2, 12.6, 50.4, 25.2, 360.0

# capability, fp8 and int8 as multiples of the bf16 rate, efficiencies of matrix products and attention
_Kind = tuple[Capability, float | None, float | None, float, float]
VOLTA: _Kind = ((7, 0), None, None, 0.6, 0.3)
TURING: _Kind = ((7, 5), None, 16, 0.6, 0.3)
AMPERE: _Kind = ((8, 6), None, 4, 0.94, 0.94)
AMPERE_PRO: _Kind = ((8, 6), None, 2, 0.7, 0.65)
AMPERE_LOW: _Kind = ((8, 6), None, 2, 0.55, 0.5)
A100: _Kind = ((8, 0), None, 2, 0.8, 0.7)
ADA: _Kind = ((8, 9), 2, 4, 0.94, 0.94)
ADA_PRO: _Kind = ((8, 9), 2, 2, 0.65, 0.55)
ADA_LOW: _Kind = ((8, 9), 2, 2, 0.5, 0.45)
HOPPER: _Kind = ((9, 0), 2, 2, 0.798, 0.566)
HOPPER_PCIE: _Kind = ((9, 0), 2, 2, 0.7, 0.5)
BLACKWELL: _Kind = ((12, 0), 2, 4, 0.9, 0.85)
BLACKWELL_PRO: _Kind = ((12, 0), 2, 2, 0.7, 0.6)
BLACKWELL_CENTRE: _Kind = ((10, 0), 2, 2, 0.7, 0.45)
BLACKWELL_ULTRA: _Kind = ((10, 3), 2, 0.06, 0.7, 0.45)
SPARK: _Kind = ((12, 1), 2, 2, 0.7, 0.6)

# Of models with one name, the one that a bare name means comes first.
# kind, name, GiB, bf16 TFLOP/s, memory GB/s, link GB/s
_ROWS: tuple[tuple[_Kind, str, float, float, float, float], ...] = (
    (TURING, "NVIDIA GeForce RTX 2060", 6, 6.5, 336, GEN3),
    (TURING, "NVIDIA GeForce RTX 2060 SUPER", 8, 7.2, 448, GEN3),
    (TURING, "NVIDIA GeForce RTX 2070", 8, 7.5, 448, GEN3),
    (TURING, "NVIDIA GeForce RTX 2070 SUPER", 8, 9.1, 448, GEN3),
    (TURING, "NVIDIA GeForce RTX 2080", 8, 10.1, 448, GEN3),
    (TURING, "NVIDIA GeForce RTX 2080 SUPER", 8, 11.2, 496, GEN3),
    (TURING, "NVIDIA GeForce RTX 2080 Ti", 11, 13.4, 616, GEN3),
    (TURING, "NVIDIA TITAN RTX", 24, 16.3, 672, GEN3),
    (TURING, "Quadro RTX 8000", 48, 16.3, 672, GEN3),
    (AMPERE, "NVIDIA GeForce RTX 3050", 8, 18.2, 224, GEN4_X8),
    (AMPERE, "NVIDIA GeForce RTX 3060 12GB", 12, 25.5, 360, GEN4),
    (AMPERE, "NVIDIA GeForce RTX 3060 8GB", 8, 25.5, 240, GEN4),
    (AMPERE, "NVIDIA GeForce RTX 3060 Ti", 8, 32.4, 448, GEN4),
    (AMPERE, "NVIDIA GeForce RTX 3070", 8, 40.6, 448, GEN4),
    (AMPERE, "NVIDIA GeForce RTX 3070 Ti", 8, 43.5, 608, GEN4),
    (AMPERE, "NVIDIA GeForce RTX 3080 10GB", 10, 59.5, 760, GEN4),
    (AMPERE, "NVIDIA GeForce RTX 3080 12GB", 12, 61.3, 912, GEN4),
    (AMPERE, "NVIDIA GeForce RTX 3080 Ti", 12, 68.2, 912, GEN4),
    (AMPERE, "NVIDIA GeForce RTX 3090", 24, 71.0, 936, GEN4),
    (AMPERE, "NVIDIA GeForce RTX 3090 Ti", 24, 80.0, 1008, GEN4),
    (AMPERE, "NVIDIA GeForce RTX 3060 Laptop GPU", 6, 20.0, 336, GEN4_X8),
    (AMPERE, "NVIDIA GeForce RTX 3070 Laptop GPU", 8, 26.4, 448, GEN4_X8),
    (AMPERE, "NVIDIA GeForce RTX 3080 Laptop GPU 8GB", 8, 30.6, 448, GEN4_X8),
    (AMPERE, "NVIDIA GeForce RTX 3080 Laptop GPU 16GB", 16, 30.6, 448, GEN4_X8),
    (AMPERE, "NVIDIA GeForce RTX 3080 Ti Laptop GPU", 16, 33.4, 512, GEN4_X8),
    (ADA, "NVIDIA GeForce RTX 4060", 8, 30.2, 272, GEN4_X8),
    (ADA, "NVIDIA GeForce RTX 4060 Ti 8GB", 8, 44.1, 288, GEN4_X8),
    (ADA, "NVIDIA GeForce RTX 4060 Ti 16GB", 16, 44.1, 288, GEN4_X8),
    (ADA, "NVIDIA GeForce RTX 4070", 12, 58.3, 504, GEN4),
    (ADA, "NVIDIA GeForce RTX 4070 SUPER", 12, 71.0, 504, GEN4),
    (ADA, "NVIDIA GeForce RTX 4070 Ti", 12, 80.2, 504, GEN4),
    (ADA, "NVIDIA GeForce RTX 4070 Ti SUPER", 16, 88.2, 672, GEN4),
    (ADA, "NVIDIA GeForce RTX 4080", 16, 97.5, 717, GEN4),
    (ADA, "NVIDIA GeForce RTX 4080 SUPER", 16, 104.4, 736, GEN4),
    (ADA, "NVIDIA GeForce RTX 4090", 24, 165.2, 1008, GEN4),
    (ADA, "NVIDIA GeForce RTX 4090 D", 24, 147.1, 1008, GEN4),
    (ADA, "NVIDIA GeForce RTX 4050 Laptop GPU", 6, 16.4, 192, GEN4_X8),
    (ADA, "NVIDIA GeForce RTX 4060 Laptop GPU", 8, 22.1, 256, GEN4_X8),
    (ADA, "NVIDIA GeForce RTX 4070 Laptop GPU", 8, 29.5, 256, GEN4_X8),
    (ADA, "NVIDIA GeForce RTX 4080 Laptop GPU", 12, 50.5, 432, GEN4_X8),
    (ADA, "NVIDIA GeForce RTX 4090 Laptop GPU", 16, 62.3, 576, GEN4_X8),
    (BLACKWELL, "NVIDIA GeForce RTX 5050", 8, 26.3, 320, GEN5_X8),
    (BLACKWELL, "NVIDIA GeForce RTX 5060", 8, 38.4, 448, GEN5_X8),
    (BLACKWELL, "NVIDIA GeForce RTX 5060 Ti 8GB", 8, 47.4, 448, GEN5_X8),
    (BLACKWELL, "NVIDIA GeForce RTX 5060 Ti 16GB", 16, 47.4, 448, GEN5_X8),
    (BLACKWELL, "NVIDIA GeForce RTX 5070", 12, 61.7, 672, GEN5),
    (BLACKWELL, "NVIDIA GeForce RTX 5070 Ti", 16, 87.9, 896, GEN5),
    (BLACKWELL, "NVIDIA GeForce RTX 5080", 16, 112.6, 960, GEN5),
    (BLACKWELL, "NVIDIA GeForce RTX 5090", 32, 209.5, 1792, GEN5),
    (BLACKWELL, "NVIDIA GeForce RTX 5060 Laptop GPU", 8, 21.3, 384, GEN4_X8),
    (BLACKWELL, "NVIDIA GeForce RTX 5070 Laptop GPU", 8, 29.5, 384, GEN4_X8),
    (BLACKWELL, "NVIDIA GeForce RTX 5070 Ti Laptop GPU", 12, 37.7, 672, GEN4_X8),
    (BLACKWELL, "NVIDIA GeForce RTX 5080 Laptop GPU", 16, 46.0, 896, GEN4_X8),
    (BLACKWELL, "NVIDIA GeForce RTX 5090 Laptop GPU", 24, 63.0, 896, GEN4_X8),
    (AMPERE_PRO, "NVIDIA RTX A2000 6GB", 6, 31.9, 288, GEN4),
    (AMPERE_PRO, "NVIDIA RTX A2000 12GB", 12, 31.9, 288, GEN4),
    (AMPERE_PRO, "NVIDIA RTX A4000", 16, 76.7, 448, GEN4),
    (AMPERE_PRO, "NVIDIA RTX A4500", 20, 94.6, 640, GEN4),
    (AMPERE_PRO, "NVIDIA RTX A5000", 24, 111.1, 768, GEN4),
    (AMPERE_PRO, "NVIDIA RTX A5500", 24, 136.4, 768, GEN4),
    (AMPERE_PRO, "NVIDIA RTX A6000", 48, 154.8, 768, GEN4),
    (ADA_PRO, "NVIDIA RTX 2000 Ada Generation", 16, 48.0, 224, GEN4_X8),
    (ADA_PRO, "NVIDIA RTX 4000 SFF Ada Generation", 20, 76.7, 280, GEN4),
    (ADA_PRO, "NVIDIA RTX 4000 Ada Generation", 20, 106.9, 360, GEN4),
    (ADA_PRO, "NVIDIA RTX 4500 Ada Generation", 24, 158.5, 432, GEN4),
    (ADA_PRO, "NVIDIA RTX 5000 Ada Generation", 32, 261.1, 576, GEN4),
    (ADA_PRO, "NVIDIA RTX 6000 Ada Generation", 48, 364.2, 960, GEN4),
    (BLACKWELL_PRO, "NVIDIA RTX PRO 2000 Blackwell", 16, 68.0, 288, GEN5_X8),
    (BLACKWELL_PRO, "NVIDIA RTX PRO 4000 Blackwell", 24, 147.0, 672, GEN5),
    (BLACKWELL_PRO, "NVIDIA RTX PRO 4500 Blackwell", 32, 210.0, 896, GEN5),
    (BLACKWELL_PRO, "NVIDIA RTX PRO 5000 Blackwell", 47.8, 258.0, 1344, GEN5),
    (BLACKWELL_PRO, "NVIDIA RTX PRO 6000 Blackwell Workstation Edition", 95.6, 503.8, 1792, GEN5),
    (BLACKWELL_PRO, "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition", 95.6, 438.9, 1792, GEN5),
    (BLACKWELL_PRO, "NVIDIA RTX PRO 6000 Blackwell Server Edition", 95.6, 480.0, 1597, GEN5),
    (SPARK, "NVIDIA GB10", 119.7, 62.0, 273, 100.0),
    (TURING, "Tesla T4", 15, 8.1, 320, GEN3),
    (VOLTA, "Tesla V100-PCIE-16GB", 16, 14.0, 900, GEN3),
    (VOLTA, "Tesla V100-PCIE-32GB", 32, 14.0, 900, GEN3),
    (VOLTA, "Tesla V100-SXM2-16GB", 16, 15.7, 900, GEN3),
    (VOLTA, "Tesla V100-SXM2-32GB", 32, 15.7, 900, GEN3),
    (AMPERE_LOW, "NVIDIA A2", 15, 18.0, 200, GEN4_X8),
    (AMPERE_LOW, "NVIDIA A10", 22.5, 125.0, 600, GEN4),
    (AMPERE_PRO, "NVIDIA A10G", 22.5, 70.0, 600, GEN4),
    (AMPERE_LOW, "NVIDIA A16", 15, 17.9, 200, GEN4),
    (A100, "NVIDIA A30", 24, 165.0, 933, GEN4),
    (AMPERE_PRO, "NVIDIA A40", 45, 149.7, 696, GEN4),
    (A100, "NVIDIA A100-PCIE-40GB", 40, 312.0, 1555, GEN4),
    (A100, "NVIDIA A100-SXM4-40GB", 40, 312.0, 1555, GEN4),
    (A100, "NVIDIA A100 80GB PCIe", 80, 312.0, 1935, GEN4),
    (A100, "NVIDIA A100-SXM4-80GB", 80, 312.0, 2039, GEN4),
    (ADA_LOW, "NVIDIA L4", 22.5, 121.0, 300, GEN4),
    (ADA_PRO, "NVIDIA L40", 45, 181.0, 864, GEN4),
    (ADA_PRO, "NVIDIA L40S", 45, 362.0, 864, GEN4),
    (HOPPER, "NVIDIA H100 SXM5 80GB", 79.6, 989.4, 3350, GEN5),
    (HOPPER_PCIE, "NVIDIA H100 PCIe 80GB", 79.6, 756.0, 2000, GEN5),
    (HOPPER_PCIE, "NVIDIA H100 NVL 94GB", 93.6, 835.0, 3900, GEN5),
    (HOPPER, "NVIDIA H20", 95.6, 148.0, 4000, GEN5),
    (HOPPER, "NVIDIA H200", 140.4, 989.4, 4800, GEN5),
    (HOPPER_PCIE, "NVIDIA H200 NVL", 140.4, 835.0, 4800, GEN5),
    (HOPPER, "NVIDIA GH200 96GB", 95.6, 989.4, 4000, C2C),
    (HOPPER, "NVIDIA GH200 144GB", 142.0, 989.4, 4900, C2C),
    (BLACKWELL_CENTRE, "NVIDIA B200", 179, 2250.0, 7700, GEN5),
    (BLACKWELL_CENTRE, "NVIDIA GB200", 184, 2250.0, 7700, C2C),
    (BLACKWELL_ULTRA, "NVIDIA B300", 268, 2250.0, 8000, GEN5),
    (BLACKWELL_ULTRA, "NVIDIA GB300", 268, 2250.0, 8000, C2C),
)


def _card(kind: _Kind, name: str, vram_gb: float, bf16: float, bandwidth: float, link: float) -> Card:
    capability, fp8, int8, matmul, attention = kind
    return Card(
        name=name,
        capability=capability,
        vram_gb=vram_gb,
        bf16_tflops=bf16,
        fp8_tflops=fp8 and fp8 * bf16,
        int8_tops=int8 and int8 * bf16,
        bandwidth_gbs=bandwidth,
        link_gbs=link,
        matmul_efficiency=matmul,
        attention_efficiency=attention,
    )


CARDS = tuple(_card(*row) for row in _ROWS)
