"""Notes with live numbers: ``{price_per_seat}`` shows the driver's value and where it comes from."""

from core.finance import Projection, spoken
from core.i18n import Language
from core.venture.canvas import filled, mentioned
from pages.parts.drivers import KINDS
from pages.parts.shell import plain


def live(text: str, projection: Projection | None, _: Language) -> str:
    """The note as markdown: typed text shown as typed, known numbers in bold with their source's icon.

    A line of the model shows its value in month 1; an unknown name stays as it was typed.
    """
    values: dict[str, str] = {}
    if projection is not None:
        for key in mentioned(text):
            if shown := _value(key, projection, _):
                values[key] = shown
    marked = filled(text.replace("\x00", ""), {key: f"\x00{key}\x00" for key in values})
    parts = marked.split("\x00")
    return "".join(values[part] if index % 2 else plain(part) for index, part in enumerate(parts))


def _value(key: str, projection: Projection, _: Language) -> str:
    venture, model = projection.venture, projection.model
    if venture.has_driver(key):
        driver = venture.driver(key)
        icon = KINDS[driver.source.kind][0]
        return f"**{plain(spoken(driver.amount.median, driver.unit, venture.currency, _))}** {icon}"
    if key in model.lines:
        return f"**{plain(spoken(projection.at(key, 1), model.lines[key].unit, venture.currency, _))}**"
    return ""
