"""Curves on two logarithmic axes, as SVG."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 55
COLOURS = ["#0b6e4f", "#c1440e", "#3a5ba0", "#8a6d00"]


def number(x):
    """0.05, 2, 1000: four digits behind the point are enough."""
    return f"{x:.4f}".rstrip("0").rstrip(".") if x < 1 else f"{x:g}"


def ticks(low, high):
    """1, 2, 5 of each power of ten; of many powers only the 1."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = [1] if math.log10(high / low) > 2.5 else [1, 2, 5]
    found = [step * 10.0**power for power in powers for step in steps]
    return [x for x in found if low <= x * 1.0001 and x <= high * 1.0001]


def text(x, y, content, anchor="middle", more=""):
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}'
    return f"<text {place}>{escape(content)}</text>"


def plot(path, title, x_label, y_label, series):
    """Writes a plot. A series is a name, pairs (x, y), all above 0, whether its line
    is dashed, and which of the colours it has; x is labelled where it was measured."""
    xs = sorted({x for _, points, *_ in series for x, _ in points})
    ys = [y for _, points, *_ in series for _, y in points]
    # Room above the curves for their names.
    low, high = min(ys) / 1.5, max(ys) * 1.5 * (max(ys) / min(ys)) ** 0.25

    def across(x):
        part = math.log(x / xs[0]) / math.log(xs[-1] / xs[0]) if len(xs) > 1 else 0.5
        return LEFT + 10 + part * (WIDTH - LEFT - RIGHT - 20)

    def up(y):
        part = math.log(y / low) / math.log(high / low)
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    end, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    upright = f' transform="translate(16 {(TOP + floor) / 2}) rotate(-90)"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        text(WIDTH / 2, 22, title, more=' font-size="15"'),
        text((LEFT + end) / 2, HEIGHT - 12, x_label),
        text(0, 0, y_label, more=upright),
    ]
    for y in ticks(low, high):
        lines.append(f'<path d="M{LEFT} {up(y):.1f}H{end}" stroke="#ddd"/>')
        lines.append(text(LEFT - 6, up(y) + 4, number(y), "end"))
    for x in xs:
        lines.append(f'<path d="M{across(x):.1f} {floor}v5" stroke="#333"/>')
        lines.append(text(across(x), floor + 18, number(x)))
    lines.append(f'<path d="M{LEFT} {TOP}V{floor}H{end}" fill="none" stroke="#333"/>')
    for i, (name, points, dashed, colour) in enumerate(series):
        colour = COLOURS[colour]
        style = f'fill="none" stroke="{colour}" stroke-width="2"'
        style += ' stroke-dasharray="6 4"' if dashed else ""
        curve = "L".join(f"{across(x):.1f} {up(y):.1f}" for x, y in points)
        lines.append(f'<path d="M{curve}" {style}/>')
        for x, y in points:
            place = f'cx="{across(x):.1f}" cy="{up(y):.1f}"'
            lines.append(f'<circle {place} r="3" fill="{colour}"/>')
        beside = TOP + 14 + 17 * i
        lines.append(f'<path d="M{LEFT + 12} {beside - 4}h26" {style}/>')
        # White around it, before the lines of the grid.
        halo = ' stroke="white" stroke-width="4" paint-order="stroke"'
        lines.append(text(LEFT + 44, beside, name, "start", halo))
    path.write_text("\n".join(lines + ["</svg>\n"]))
