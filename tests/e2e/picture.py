"""A terminal's cells as a picture (PNG), as a camera would see the screen: blocks, half blocks and number signs; other text is left out.

Enough for QR codes; nothing else is drawn.
"""

import struct
import zlib

CELL_WIDTH, CELL_HEIGHT = 8, 16

# A number sign as a terminal font draws it: two strokes each way, on 8 by 16 points.
NUMBER_SIGN = [
    "........", "........", "..##.##.", "..##.##.", "..##.##.", "#######.", "#######.", "..##.##.",
    "..##.##.", "#######.", "#######.", "..##.##.", "..##.##.", "..##.##.", "........", "........",
]


def _glyph(character):
    """16 rows of 8 points, True where the foreground colour is."""
    full, none = [True] * CELL_WIDTH, [False] * CELL_WIDTH
    half = CELL_HEIGHT // 2
    if character == "\u2588":
        return [full] * CELL_HEIGHT
    if character == "\u2580":
        return [full] * half + [none] * half
    if character == "\u2584":
        return [none] * half + [full] * half
    if character == "#":
        return [[point == "#" for point in row] for row in NUMBER_SIGN]
    return [none] * CELL_HEIGHT


def _png(rows):
    """A greyscale PNG of rows of bytes."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def draw(lines, dark=True):
    """The lines as a PNG: light on a dark terminal, or dark on a light one, with a border of background."""
    ink, paper = (b"\xff", b"\x00") if dark else (b"\x00", b"\xff")
    columns = max(len(line) for line in lines) + 4
    lines = ["", "", *lines, "", ""]
    rows = []
    for line in lines:
        glyphs = [_glyph(character) for character in ("  " + line).ljust(columns)]
        for y in range(CELL_HEIGHT):
            rows.append(b"".join(b"".join(ink if point else paper for point in glyph[y]) for glyph in glyphs))
    return _png(rows)


def blurred(lines, dark=True):
    """The same out of focus, as a phone sees characters from afar: every point is the mean of the cell around it."""
    ink, paper = (255, 0) if dark else (0, 255)
    columns = max(len(line) for line in lines) + 4
    grid = []
    for line in ["", "", *lines, "", ""]:
        glyphs = [_glyph(character) for character in ("  " + line).ljust(columns)]
        for y in range(CELL_HEIGHT):
            grid.append([ink if point else paper for glyph in glyphs for point in glyph[y]])
    across = [_mean(row, CELL_WIDTH) for row in grid]
    down = [_mean(column, CELL_HEIGHT) for column in zip(*across)]
    return _png([bytes(int(value) for value in row) for row in zip(*down)])


def _mean(values, width):
    """Each value's mean with its neighbours, `width` in all."""
    sums = [0]
    for value in values:
        sums.append(sums[-1] + value)
    bounds = ((max(0, at - width // 2), min(len(values), at + width // 2)) for at in range(len(values)))
    return [(sums[end] - sums[start]) / (end - start) for start, end in bounds]
