"""The probe on this machine, on control groups laid out as files, and on drivers that stand in for real ones.

No GPU is here: `Driver` answers as NVML does, with its real exceptions, and `torch_with` as torch does for
devices of other vendors.
"""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pynvml
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mova_studio.placement.machine import GIB, Gpu
from mova_studio.placement.memory_limits import Ram, cores, ram
from mova_studio.placement.nvidia import NvidiaGpu, read_nvidia, visible
from mova_studio.placement.probe import _nvidia_gpu, probe_machine
from mova_studio.placement.torch_devices import torch_gpu
from mova_studio.placement.versions import TorchBuild, not_compiled_for, slow, unusable

MIB = 2**20
CGROUPS = "sys/fs/cgroup"


def lay(root, files):
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(text), "utf-8")
    return root


class TestControlGroups:
    def test_without_any_the_system_counts(self, tmp_path):
        seen = ram(tmp_path)
        assert seen.total == psutil.virtual_memory().total
        assert 0 < seen.free <= seen.total

    def test_the_least_limit_on_the_way_up_counts(self, tmp_path):
        lay(
            tmp_path,
            {
                "proc/self/cgroup": "0::/user.slice/session/run",
                f"{CGROUPS}/user.slice/memory.max": 96 * MIB,
                f"{CGROUPS}/user.slice/memory.current": 80 * MIB,
                f"{CGROUPS}/user.slice/session/memory.max": "max",
                f"{CGROUPS}/user.slice/session/run/memory.max": 64 * MIB,
                f"{CGROUPS}/user.slice/session/run/memory.current": 8 * MIB,
                f"{CGROUPS}/user.slice/other/memory.max": 1 * MIB,
            },
        )
        # 64 - 8 are free in the group itself, but only 96 - 80 in the one above.
        assert ram(tmp_path) == Ram(64 * MIB, 16 * MIB)

    def test_page_cache_counts_as_free_and_high_is_no_limit(self, tmp_path):
        lay(
            tmp_path,
            {
                "proc/self/cgroup": "0::/",
                f"{CGROUPS}/memory.max": 64 * MIB,
                f"{CGROUPS}/memory.high": 32 * MIB,
                f"{CGROUPS}/memory.current": 60 * MIB,
                f"{CGROUPS}/memory.stat": f"anon 1\ninactive_file {20 * MIB}\nactive_file {10 * MIB}\nodd\n",
            },
        )
        assert ram(tmp_path) == Ram(64 * MIB, 34 * MIB)

    def test_version_1_counts_the_groups_below(self, tmp_path):
        group = f"{CGROUPS}/memory/docker/abc"
        lay(
            tmp_path,
            {
                "proc/self/cgroup": "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/x\n",
                f"{group}/memory.limit_in_bytes": 64 * MIB,
                f"{group}/memory.usage_in_bytes": 40 * MIB,
                f"{group}/memory.stat": f"active_file 1\ntotal_inactive_file {6 * MIB}\ntotal_active_file {4 * MIB}",
                f"{CGROUPS}/memory/memory.limit_in_bytes": 9223372036854771712,
            },
        )
        assert ram(tmp_path) == Ram(64 * MIB, 34 * MIB)

    @pytest.mark.parametrize("path", ["/docker/abc/def", "/", "/../../elsewhere"])
    def test_a_container_that_sees_its_own_group_as_the_top(self, tmp_path, path):
        lay(
            tmp_path,
            {
                "proc/self/cgroup": f"4:memory:{path}\n0::{path}\n",
                f"{CGROUPS}/memory/memory.limit_in_bytes": 48 * MIB,
                f"{CGROUPS}/unified/memory.max": 32 * MIB,
            },
        )
        assert ram(tmp_path).total == 32 * MIB

    def test_a_group_over_its_limit_has_nothing_free(self, tmp_path):
        lay(tmp_path, {"proc/self/cgroup": "0::/", f"{CGROUPS}/memory.max": 5, f"{CGROUPS}/memory.current": 9})
        assert ram(tmp_path) == Ram(5, 0)

    @pytest.mark.parametrize(
        ("text", "expected"), [("150000 100000", 2), ("10000 100000", 1), ("100000 100000", 1), ("max 100000", None)]
    )
    def test_quotas_of_processors(self, tmp_path, text, expected):
        lay(tmp_path, {"proc/self/cgroup": "0::/a", f"{CGROUPS}/a/cpu.max": text})
        here = cores(tmp_path / "nothing")
        assert cores(tmp_path) == min(here, expected or here)

    def test_quota_of_version_1(self, tmp_path):
        files = {"cpu.cfs_quota_us": 50000, "cpu.cfs_period_us": 100000}
        lay(tmp_path, {f"{CGROUPS}/cpu,cpuacct/a/{name}": value for name, value in files.items()})
        lay(tmp_path, {"proc/self/cgroup": "5:cpu,cpuacct:/a"})
        assert cores(tmp_path) == 1

    @given(
        cgroup=st.text() | st.from_regex(r"(\d{1,2}:(memory|cpu|):/[a-z/.]{0,9}\n){0,3}", fullmatch=True),
        values=st.lists(
            st.text(max_size=12) | st.integers(-(2**70), 2**70).map(str) | st.just("max"), min_size=4, max_size=4
        ),
    )
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
    def test_odd_files_never_raise(self, tmp_path, cgroup, values):
        names = ("memory.max", "memory.current", "memory.stat", "cpu.max")
        lay(tmp_path, {f"{CGROUPS}/{name}": value for name, value in zip(names, values, strict=True)})
        (tmp_path / "proc/self").mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc/self/cgroup").write_bytes(cgroup.encode("utf-8", "surrogatepass"))
        seen = ram(tmp_path)
        assert 0 <= seen.free <= seen.total <= psutil.virtual_memory().total
        assert 1 <= cores(tmp_path) <= cores(tmp_path / "nothing")

    def test_files_that_can_not_be_read(self, tmp_path):
        (tmp_path / "proc/self/cgroup").mkdir(parents=True)
        (tmp_path / CGROUPS / "memory.max").mkdir(parents=True)
        assert ram(tmp_path).total == psutil.virtual_memory().total


def board(name="NVIDIA GeForce RTX 4090", total=24564 * MIB, free=23000 * MIB, capability=(8, 9), **more):
    return {"name": name, "total": total, "free": free, "capability": capability, "uuid": "GPU-0", **more}


class Driver:
    """Answers as `pynvml` does. A value that is an exception is raised; what a board lacks is not supported."""

    NVMLError_NotSupported = pynvml.NVMLError_NotSupported

    def __init__(self, *boards, driver="580.65.06", cuda=13000, init=None):
        self.boards, self.driver, self.cuda, self.init, self.open = boards, driver, cuda, init, 0

    def nvmlInit(self):
        if self.init:
            raise self.init
        self.open += 1

    def nvmlShutdown(self):
        self.open -= 1

    def nvmlSystemGetDriverVersion(self):
        return self._answer(self.driver)

    def nvmlSystemGetCudaDriverVersion_v2(self):
        return self._answer(self.cuda)

    def nvmlDeviceGetCount(self):
        return len(self.boards)

    def nvmlDeviceGetHandleByIndex(self, index):
        return self._answer(self.boards[index])

    def nvmlDeviceGetMemoryInfo(self, handle):
        return SimpleNamespace(total=self._of(handle, "total"), free=self._of(handle, "free"))

    def nvmlDeviceGetMigMode(self, handle):
        return [1 if "slices" in handle else 0, 0]

    def nvmlDeviceGetMaxMigDeviceCount(self, handle):
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle, number):
        if number >= len(handle["slices"]):
            raise pynvml.NVMLError_NotFound
        return handle["slices"][number]

    def __getattr__(self, name):
        keys = {
            "nvmlDeviceGetName": "name",
            "nvmlDeviceGetUUID": "uuid",
            "nvmlDeviceGetCudaComputeCapability": "capability",
            "nvmlDeviceGetMaxPcieLinkGeneration": "generation",
            "nvmlDeviceGetMaxPcieLinkWidth": "width",
            "nvmlDeviceGetCurrPcieLinkWidth": "width_now",
        }
        return lambda handle: self._of(handle, keys[name])

    def _of(self, handle, key):
        return self._answer(handle.get(key, pynvml.NVMLError_NotSupported()))

    @staticmethod
    def _answer(value):
        if isinstance(value, Exception):
            raise value
        return value


RAM = Ram(64 * GIB, 60 * GIB)


class TestNvidia:
    def test_one_card(self):
        driver = Driver(board(generation=4, width=16, width_now=16))
        seen = read_nvidia(RAM, None, driver)
        assert (seen.driver, seen.cuda) == ("580.65.06", "13.0")
        assert seen.chosen.gpu == Gpu(
            "NVIDIA GeForce RTX 4090", "nvidia", 24564 * MIB, 23000 * MIB, (8, 9), pytest.approx(25.2e9, rel=0.01)
        )
        assert driver.open == 0

    @pytest.mark.parametrize(
        "error", [pynvml.NVMLError_LibraryNotFound(), pynvml.NVMLError_DriverNotLoaded(), OSError()]
    )
    def test_without_a_driver_there_is_nothing(self, error):
        assert read_nvidia(RAM, None, Driver(init=error)) is None

    def test_questions_that_a_driver_can_not_answer(self):
        driver = Driver({"total": 8 * GIB, "free": 8 * GIB}, driver=pynvml.NVMLError_Unknown(), cuda=OSError())
        seen = read_nvidia(RAM, None, driver)
        assert (seen.driver, seen.cuda) == (None, None)
        assert seen.chosen.gpu == Gpu("NVIDIA GPU", "nvidia", 8 * GIB, 8 * GIB)
        assert driver.open == 0

    def test_a_card_that_fell_off_the_bus_is_none(self):
        lost = board(uuid="GPU-1", total=pynvml.NVMLError_GpuIsLost())
        seen = read_nvidia(RAM, None, Driver(pynvml.NVMLError_GpuIsLost(), lost, board()))
        assert [found.uuid for found in seen.gpus] == ["GPU-0"]

    def test_a_short_slot_and_an_idle_link(self):
        seen = read_nvidia(RAM, None, Driver(board(generation=4, width=16, width_now=4)))
        assert seen.chosen.gpu.link_bytes_per_second == pytest.approx(6.3e9, rel=0.01)

    def test_grace_has_its_own_link(self):
        seen = read_nvidia(RAM, None, Driver(board("NVIDIA GH200 480GB", capability=(9, 0), generation=4, width=1)))
        assert seen.chosen.gpu.link_bytes_per_second > 200e9

    def test_one_memory_for_processor_and_gpu(self):
        shared = {"name": "NVIDIA GB10", "capability": (12, 1), "uuid": "GPU-0"}
        gpu = read_nvidia(RAM, None, Driver(shared)).chosen.gpu
        assert (gpu.total_vram, gpu.free_vram, gpu.shares_ram) == (RAM.total, RAM.free, True)

    def test_most_memory_is_chosen_and_the_first_of_equals(self):
        boards = [board(uuid=f"GPU-{index}", total=size * GIB) for index, size in enumerate((8, 24, 24, 12))]
        assert read_nvidia(RAM, None, Driver(*boards)).chosen.uuid == "GPU-1"
        assert read_nvidia(RAM, "3,0", Driver(*boards)).chosen.uuid == "GPU-3"

    def test_slices_count_instead_of_their_board(self):
        slices = [
            {"name": "NVIDIA A100 MIG 2g.10gb", "uuid": "MIG-a", "total": 10 * GIB, "free": 9 * GIB},
            {"name": "NVIDIA A100 MIG 3g.20gb", "uuid": "MIG-b", "total": 20 * GIB, "free": 19 * GIB},
        ]
        driver = Driver(board("NVIDIA A100-SXM4-40GB", 40 * GIB, 40 * GIB, (8, 0), slices=slices))
        chosen = read_nvidia(RAM, None, driver).chosen
        assert (chosen.uuid, chosen.gpu.free_vram, chosen.gpu.capability) == ("MIG-b", 19 * GIB, (8, 0))
        assert read_nvidia(RAM, "0", driver).chosen.uuid == "MIG-a"
        assert read_nvidia(RAM, "MIG-b", driver).chosen.uuid == "MIG-b"

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (None, "abc"),
            ("", ""),
            ("-1", ""),
            ("1", "b"),
            ("2,0", "ca"),
            (" 1 , 2", "bc"),
            ("0,-1,1", "a"),
            ("0,9,1", "a"),
            ("GPU-c", "c"),
            ("GPU-b,0", "ba"),
            ("GPU-", ""),
            ("GPU-x", ""),
            ("NoDevFiles", ""),
            ("²", ""),
        ],
    )
    def test_visible_devices(self, value, expected):
        boards = [[NvidiaGpu(f"GPU-{letter}", Gpu(letter, "nvidia", 1, 1))] for letter in "abc"]
        assert "".join(found.gpu.name for found in visible(boards, value)) == expected

    @given(st.text(max_size=30) | st.from_regex(r"[0-9,\- ]{0,12}", fullmatch=True))
    def test_any_value_of_visible_devices(self, value):
        boards = [[NvidiaGpu("GPU-a", Gpu("a", "nvidia", 1, 1))], []]
        assert all(found.uuid == "GPU-a" for found in visible(boards, value))


ADA = Gpu("NVIDIA GeForce RTX 4090", "nvidia", 24 * GIB, 24 * GIB, (8, 9))
VOLTA = Gpu("Tesla V100", "nvidia", 16 * GIB, 16 * GIB, (7, 0))


class TestVersions:
    def test_the_installed_torch_is_read_without_importing_it(self):
        import torch

        assert TorchBuild.read() == TorchBuild(str(torch.__version__), torch.version.cuda, torch.version.hip)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "__version__ = '2.13.0+cu130'\ncuda: Optional[str] = '13.0'\nhip = None\n",
                ("2.13.0+cu130", "13.0", None),
            ),
            ('__version__ = "2.13.0"\ncuda = None\nhip: Optional[str] = "7.1"\n', ("2.13.0", None, "7.1")),
            ("", (None, None, None)),
        ],
    )
    def test_builds(self, tmp_path, text, expected):
        lay(tmp_path, {"version.py": text})
        assert TorchBuild.read(tmp_path) == TorchBuild(*expected)

    def test_no_torch(self, tmp_path):
        assert TorchBuild.read(tmp_path) == TorchBuild(None)

    @pytest.mark.parametrize(
        ("cuda", "driver", "serves", "told"),
        [
            ("12.6", "525.60.13", "12.0", None),
            ("12.6", "470.223.02", "11.4", "525"),
            ("13.0", "575.51", "12.9", "580"),
            ("13.0", "575.51", "13.0", None),  # with a compatibility package
            ("13.2", "580.65.06", "13.0", None),
            ("13.0", None, None, None),
            ("14.0", "580.65.06", "13.0", None),  # unknown to us
            ("13.0", "odd", "13.0", None),
        ],
    )
    def test_drivers(self, cuda, driver, serves, told):
        sentence = unusable(ADA, TorchBuild("2.13.0", cuda), driver, serves)
        assert (sentence is None) == (told is None)
        assert told is None or (told in sentence and driver in sentence and "Update" in sentence)

    @pytest.mark.parametrize(
        ("build", "word"),
        [(TorchBuild("2.13.0+cpu"), "CUDA"), (TorchBuild("2.13.0", hip="7.1"), "ROCm"), (TorchBuild(None), "install")],
    )
    def test_a_torch_for_something_else_leaves_the_gpu_out(self, build, word):
        gpu, warnings = _nvidia_gpu(read_nvidia(RAM, None, Driver(board())), build)
        assert gpu is None
        assert len(warnings) == 1 and word in warnings[0] and "RTX 4090" in warnings[0]

    def test_a_torch_that_fits(self):
        read = read_nvidia(RAM, None, Driver(board()))
        assert _nvidia_gpu(read, TorchBuild("2.13.0", "13.0")) == (read.chosen.gpu, ())

    @pytest.mark.parametrize(
        ("gpu", "compiled", "runs"),
        [
            (ADA, ["sm_75", "sm_80", "sm_90"], True),
            (ADA, ["sm_89"], True),
            (ADA, ["sm_90", "sm_120"], False),
            (ADA, ["compute_80"], True),
            (VOLTA, ["sm_75", "sm_80", "compute_120"], False),
            (ADA, [], True),
            (ADA, ["gfx90a", "odd"], False),
            (Gpu("B300", "nvidia", 1, 1, (10, 3)), ["sm_100"], True),
            (Gpu("B300", "nvidia", 1, 1, (10, 3)), ["sm_100a"], False),
            (Gpu("RTX 5090", "nvidia", 1, 1, (12, 0)), ["sm_90", "sm_100"], False),
            (Gpu("unknown", "nvidia", 1, 1), ["sm_90"], True),
        ],
    )
    def test_compiled_code(self, gpu, compiled, runs):
        assert (not_compiled_for(gpu, compiled, "2.13.0") is None) == runs

    def test_no_bfloat16(self):
        assert slow(ADA) is None
        assert "7.0" in slow(VOLTA)


def torch_with(kind):
    """As `torch` answers on a machine with an accelerator of this kind."""
    off = SimpleNamespace(is_available=lambda: False)
    torch = SimpleNamespace(
        cuda=off, xpu=off, npu=off, backends=SimpleNamespace(mps=off), version=SimpleNamespace(hip=None)
    )
    if kind in ("nvidia", "amd"):
        sizes = [8 * GIB, 24 * GIB]
        torch.cuda = SimpleNamespace(
            is_available=lambda: True,
            device_count=lambda: 2,
            get_device_properties=lambda index: SimpleNamespace(total_memory=sizes[index]),
            get_device_name=lambda index: f"Card {index}",
            get_device_capability=lambda index: (8, 9),
            mem_get_info=lambda index: (sizes[index] - GIB, sizes[index]),
        )
        torch.version.hip = "7.1" if kind == "amd" else None
    if kind == "apple":
        torch.backends.mps = SimpleNamespace(is_available=lambda: True)
        torch.mps = SimpleNamespace(recommended_max_memory=lambda: 48 * GIB, driver_allocated_memory=lambda: GIB)
    if kind == "intel":

        def untold(index):
            raise RuntimeError("not supported")

        torch.xpu = SimpleNamespace(
            is_available=lambda: True,
            get_device_properties=lambda index: SimpleNamespace(name="Arc", total_memory=16 * GIB),
            mem_get_info=untold,
            memory_reserved=lambda index: 2 * GIB,
        )
    if kind == "ascend":
        torch.npu = SimpleNamespace(
            is_available=lambda: True, get_device_name=lambda index: "910B", mem_get_info=lambda i: (60 * GIB, 64 * GIB)
        )
    return torch


class TestOtherDevices:
    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("nvidia", Gpu("Card 1", "nvidia", 24 * GIB, 23 * GIB, (8, 9))),
            ("amd", Gpu("Card 1", "amd", 24 * GIB, 23 * GIB)),
            ("apple", Gpu("Apple GPU", "apple", 48 * GIB, 47 * GIB, shares_ram=True)),
            ("intel", Gpu("Arc", "intel", 16 * GIB, 14 * GIB)),
            ("ascend", Gpu("910B", "ascend", 64 * GIB, 60 * GIB)),
        ],
    )
    def test_what_torch_offers_is_recognised(self, kind, expected):
        gpu, warning = torch_gpu(torch_with(kind), RAM)
        assert gpu == expected
        assert (warning is None) == (kind == "nvidia")
        assert warning is None or gpu.name in warning

    def test_memory_that_is_ram_is_never_more_than_the_ram(self):
        gpu, _ = torch_gpu(torch_with("apple"), Ram(16 * GIB, 3 * GIB))
        assert (gpu.total_vram, gpu.free_vram) == (16 * GIB, 3 * GIB)

    def test_a_broken_run_time_is_no_device(self):
        torch = torch_with("amd")
        torch.cuda.mem_get_info = lambda index: 1 / 0
        assert torch_gpu(torch, RAM) == (None, None)
        assert torch_gpu(SimpleNamespace(), RAM) == (None, None)


class TestThisMachine:
    def test_the_page_asks_without_torch(self, tmp_path):
        code = (
            "import json, pathlib, sys\n"
            "from mova_studio.placement.probe import probe_machine\n"
            f"machine = probe_machine(pathlib.Path({str(tmp_path / 'a' / 'b')!r}))\n"
            "assert not {'torch', 'diffusers'} & set(sys.modules)\n"
            "print(json.dumps(machine.to_dict()))\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        seen = json.loads(done.stdout)
        assert 0 < seen["free_ram"] <= seen["total_ram"]
        assert seen["free_disk"] > 0 and seen["cores"] >= 1
        assert seen["attention"] == ["native"] and not seen["imaginary"]
        assert not (tmp_path / "a").exists()

    def test_torch_agrees(self, tmp_path):
        import torch

        machine = probe_machine(tmp_path, use_torch=True)
        assert machine.torch == str(torch.__version__)
        assert machine.attention[0] == "native"
        assert (machine.gpu is not None) or not torch.cuda.is_available()

    def test_limits_are_respected(self, tmp_path):
        lay(tmp_path, {"proc/self/cgroup": "0::/", f"{CGROUPS}/memory.max": 64 * MIB})
        assert probe_machine(tmp_path, root=tmp_path).total_ram == 64 * MIB

    def test_hidden_gpus_are_none(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        assert probe_machine(tmp_path).gpu is None

    @pytest.mark.parametrize("folder", ["no/such/folder", "file/below", "a\0b"])
    def test_cache_folders_that_are_not_there(self, tmp_path, folder):
        (tmp_path / "file").write_text("")
        assert probe_machine(tmp_path / folder).free_disk >= 0
        assert probe_machine(tmp_path / "no/such/folder").free_disk > 0
