"""Pictures of every kind become upright RGB, with a note for each change, or a sentence for the person."""

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from mova_studio.errors import InputError
from mova_studio.media.images import encode_png, open_image

RNG = np.random.default_rng(0)


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def random_rgb(width: int = 12, height: int = 8) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


def png_header_only(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that nobody could decode."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def test_plain_rgb_is_untouched_and_has_no_note(tmp_path: Path):
    pixels = random_rgb()
    path = tmp_path / "a 图片.png"
    path.write_bytes(saved(Image.fromarray(pixels)))
    opened = open_image(path)
    assert opened.notes == ()
    assert np.array_equal(np.asarray(opened.image), pixels)


@given(
    mode=st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "I", "F", "I;16"]),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=80, deadline=None)
def test_every_mode_becomes_rgb_with_a_note(mode: str, width: int, height: int, seed: int):
    rng = np.random.default_rng(seed)
    if mode == "I;16":
        image = Image.fromarray(rng.integers(0, 65536, (height, width), dtype=np.uint16))
    elif mode == "F":
        image = Image.fromarray(rng.random((height, width), dtype=np.float32))
    else:
        base = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        if mode == "LAB":
            profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
            image = ImageCms.profileToProfile(base, *profiles, outputMode="LAB")
        else:
            image = base.convert(mode)
    kind = "PNG" if mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else "TIFF"
    opened = open_image(saved(image, kind))
    assert opened.image.mode == "RGB"
    assert opened.image.size == (width, height)
    assert (opened.notes == ()) == (mode in ("RGB", "RGBA"))  # this RGBA is opaque: nothing changed


def test_sixteen_bit_grey_is_scaled_and_not_clipped():
    values = np.linspace(0, 65535, 256 * 4).round().astype(np.uint16).reshape(16, 64)
    opened = open_image(saved(Image.fromarray(values)))
    grey = np.asarray(opened.image)[..., 0]
    assert np.abs(grey - values / 257).max() <= 0.51
    assert any("16-bit grey" in note for note in opened.notes)


def test_sixteen_bit_colour_says_that_it_lost_depth():
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + struct.pack(">6H", 65535, 32768, 0, 0, 32768, 65535)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0))
    opened = open_image(png + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b""))
    assert [opened.image.getpixel((x, 0)) for x in (0, 1)] == [(255, 128, 0), (0, 128, 255)]
    assert any("16 bits" in note for note in opened.notes)


def test_floating_point_beyond_one_is_stretched_and_says_so():
    values = np.array([[-2.0, 0.0, 6.0]], np.float32)
    opened = open_image(saved(Image.fromarray(values), "TIFF"))
    assert [opened.image.getpixel((x, 0))[0] for x in range(3)] == [0, 64, 255]
    assert any("stretched" in note for note in opened.notes)


def test_cmyk_is_converted():
    opened = open_image(saved(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "TIFF"))
    red, green, blue = opened.image.getpixel((0, 0))
    assert red > 200 and green < 60 and blue < 60
    assert any("CMYK" in note for note in opened.notes)


@given(alpha=st.integers(0, 254), grey=st.integers(0, 255))
@settings(deadline=None)
def test_transparency_is_laid_on_white(alpha: int, grey: int):
    expected = (grey * alpha + 255 * (255 - alpha)) / 255
    pictures = [
        saved(Image.new("LA", (3, 3), (grey, alpha))),
        saved(Image.new("RGBA", (3, 3), (grey, grey, grey, alpha))),
    ]
    for picture in pictures:
        opened = open_image(picture)
        assert np.abs(np.asarray(opened.image).astype(float) - expected).max() <= 1
        assert any("white" in note for note in opened.notes)


@pytest.mark.parametrize(
    ("mode", "colour", "key"),
    [("P", 3, 3), ("L", 40, 40), ("RGB", (9, 8, 7), (9, 8, 7)), ("I;16", 4660, 4660)],
)
def test_a_transparent_colour_is_laid_on_white(mode: str, colour, key):
    image = Image.new(mode, (2, 1), colour)
    if mode == "P":
        image.putpalette([0, 0, 0, 50, 50, 50, 90, 90, 90, 10, 20, 30])
    image.putpixel((1, 0), (1, 1, 1) if mode == "RGB" else 1)
    opened = open_image(saved(image, transparency=key))
    assert opened.image.getpixel((0, 0)) == (255, 255, 255)
    assert max(opened.image.getpixel((1, 0))) < 60
    assert any("white" in note for note in opened.notes)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_once(kind: str, orientation: int):
    upright = Image.new("RGB", (32, 16), "white")
    upright.paste((200, 0, 0), (0, 0, 8, 8))  # the red corner belongs at the top left
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_image(saved(stored, kind, exif=exif))
    assert opened.image.size == (32, 16)
    red, green, _ = opened.image.getpixel((3, 3))
    assert red > 150 and green < 80
    assert min(opened.image.getpixel((28, 12))) > 200
    assert any("upright" in note for note in opened.notes) == (orientation != 1)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_the_first_picture_of_an_animation_is_used(kind: str):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("blue", "red", "lime")]
    opened = open_image(saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=40))
    red, _, blue = opened.image.getpixel((4, 4))
    assert blue > 200 and red < 50
    assert any("animation of 3" in note for note in opened.notes)


def test_a_colour_profile_is_converted_to_srgb():
    # sRGB with red and blue in each other's place: a profile that changes every colour visibly.
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.find(b"rXYZ"), profile.find(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    profile = bytes(profile).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be")).replace(b"sRGB", b"swap")
    opened = open_image(saved(Image.new("RGB", (4, 4), (250, 10, 10)), icc_profile=profile))
    red_value, _, blue_value = opened.image.getpixel((0, 0))
    assert blue_value > 200 and red_value < 60
    assert any("sRGB" in note for note in opened.notes)
    assert "icc_profile" not in Image.open(io.BytesIO(encode_png(opened.image))).info


@pytest.mark.parametrize("profile", [b"nonsense", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()])
def test_an_unusable_colour_profile_is_ignored_with_a_note(profile: bytes):
    opened = open_image(saved(Image.new("RGB", (4, 4), (250, 10, 10)), icc_profile=profile))
    assert opened.image.getpixel((0, 0)) == (250, 10, 10)
    assert any("ignored" in note for note in opened.notes)


def test_an_srgb_profile_changes_nothing():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    opened = open_image(saved(Image.new("RGB", (4, 4), (250, 10, 10)), icc_profile=profile))
    assert opened.image.getpixel((0, 0)) == (250, 10, 10)
    assert opened.notes == ()


@pytest.mark.parametrize(
    ("size", "words"),
    [((10001, 10000), "100.0 megapixels"), ((12000, 12000), "144.0 megapixels"), ((60000, 60000), "3600.0 megapixels")],
)
def test_over_100_megapixels_is_refused_from_the_header(size: tuple[int, int], words: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow's own bomb warning must not reach the person
        with pytest.raises(InputError, match="at most 100") as refusal:
            open_image(png_header_only(*size), field="last_frame")
    assert refusal.value.field == "last_frame"
    assert words in refusal.value.message


def test_just_under_the_limit_gets_past_the_size_check():
    with pytest.raises(InputError, match="cut short"):
        open_image(png_header_only(10000, 10000))


def test_what_is_no_picture_is_named(tmp_path: Path):
    empty, text, folder = tmp_path / "empty.png", tmp_path / "notes.txt", tmp_path / "folder.png"
    empty.touch()
    text.write_text("not a picture")
    folder.mkdir()
    whole = saved(Image.fromarray(random_rgb(64, 64)), "JPEG", quality=95)
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole[: len(whole) // 2])
    postscript = tmp_path / "drawing.eps"
    postscript.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    cases = {
        empty: "0 bytes",
        text: "not a picture",
        folder: "folder",
        cut: "cut short",
        tmp_path / "nowhere.png": "not exist",
        postscript: "not a picture",
    }
    for path, words in cases.items():
        with pytest.raises(InputError, match=words) as refusal:
            open_image(path)
        assert path.name in refusal.value.message
        assert refusal.value.field == "first_frame"
    with pytest.raises(InputError, match="0 bytes"):
        open_image(b"")


def whole_pictures() -> list[bytes]:
    image = Image.fromarray(random_rgb(20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return [
        saved(image, "PNG", exif=exif, icc_profile=profile),
        saved(image, "JPEG", exif=exif, icc_profile=profile),
        saved(image, "GIF"),
        saved(image, "WEBP", exif=exif),
        saved(image, "TIFF", compression="tiff_lzw"),
        saved(image, "BMP"),
        saved(image.convert("P"), "PNG", transparency=0),
    ]


WHOLE = whole_pictures()


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damage_gives_a_sentence_or_a_picture_and_nothing_else(data):
    picture = bytearray(data.draw(st.sampled_from(WHOLE)))
    for _ in range(data.draw(st.integers(0, 6))):
        picture[data.draw(st.integers(0, len(picture) - 1))] = data.draw(st.integers(0, 255))
    picture = picture[: data.draw(st.integers(0, len(picture)))]
    try:
        opened = open_image(bytes(picture))
    except InputError as refusal:
        assert refusal.message.endswith(".")
    else:
        assert opened.image.mode == "RGB"


def test_encode_png_is_lossless():
    pixels = random_rgb(33, 21)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(Image.fromarray(pixels))))), pixels)
