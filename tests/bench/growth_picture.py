"""How cost grows with size, as a picture (SVG): a panel for each thing, both axes logarithmic, a line for each program."""

import math
from xml.sax.saxutils import escape

PANEL_WIDTH, PANEL_HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 430, 300, 70, 44, 24, 46
LETTER_WIDTH, LEGEND_GAP = 7, 34  # about
COLOURS = ["#0b6e4f", "#c1440e", "#2f4b7c", "#7a5195", "#8a7000"]
OURS = "pam_oidc"  # always in the first colour


def _decades(values):
    """The powers of ten that hold all values between them."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _label(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


class Panel:
    def __init__(self, title, points, left):
        self.title, self.points, self.left = title, points, left
        self.x_range = _decades([point["size"] for point in points])
        self.y_range = _decades([point["value"] for point in points])

    def x(self, size):
        low, high = self.x_range
        return self.left + LEFT + (math.log10(size) - low) / (high - low) * (PANEL_WIDTH - LEFT - RIGHT)

    def y(self, value):
        low, high = self.y_range
        return PANEL_HEIGHT - BOTTOM - (math.log10(value) - low) / (high - low) * (PANEL_HEIGHT - TOP - BOTTOM)

    def grid(self):
        right, bottom = self.left + PANEL_WIDTH - RIGHT, PANEL_HEIGHT - BOTTOM
        for exponent in range(self.y_range[0], self.y_range[1] + 1):
            y = self.y(10.0**exponent)
            yield f'<line x1="{self.left + LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" class="grid"/>'
            yield f'<text x="{self.left + LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_label(10.0**exponent)}</text>'
        for exponent in range(self.x_range[0], self.x_range[1] + 1):
            x = self.x(10.0**exponent)
            yield f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" class="grid"/>'
            yield f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{_label(10.0**exponent)}</text>'

    def lines(self):
        names = sorted({point["series"] for point in self.points}, key=lambda name: (name != OURS, name))
        x, y = self.left + LEFT, PANEL_HEIGHT - 10
        for number, name in enumerate(names):
            colour = COLOURS[number % len(COLOURS)]
            places = sorted((point["size"], point["value"]) for point in self.points if point["series"] == name)
            drawn = " ".join(f"{self.x(size):.1f},{self.y(value):.1f}" for size, value in places)
            yield f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>'
            for size, value in places:
                title = f"{escape(name)}: {value:.4g} at {size}"
                place = f'cx="{self.x(size):.1f}" cy="{self.y(value):.1f}"'
                yield f'<circle {place} r="3" fill="{colour}"><title>{title}</title></circle>'
            yield f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{colour}"/>'
            yield f'<text x="{x + 14}" y="{y}">{escape(name)}</text>'
            x += LEGEND_GAP + LETTER_WIDTH * len(name)

    def drawn(self):
        yield f'<text x="{self.left + LEFT}" y="24" class="title">{escape(self.title)}</text>'
        yield from self.grid()
        yield from self.lines()


def draw(points):
    """The whole picture; without points it says so."""
    titles = list(dict.fromkeys(point["panel"] for point in points))
    parts = []
    for number, title in enumerate(titles):
        parts += Panel(title, [point for point in points if point["panel"] == title], number * PANEL_WIDTH).drawn()
    if not titles:
        parts.append('<text x="20" y="40">No row that grows with a size was measured.</text>')
    width = max(1, len(titles)) * PANEL_WIDTH
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {PANEL_HEIGHT}" width="{width}" height="{PANEL_HEIGHT}">',
        "<style>text { font: 12px sans-serif; fill: #222 } .title { font-weight: bold } .grid { stroke: #ddd }</style>",
        f'<rect width="{width}" height="{PANEL_HEIGHT}" fill="white"/>',
        *parts, "</svg>", "",
    ])
