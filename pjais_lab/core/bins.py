"""Edges of histogram bins at round places: a bin reaches from its edge up to, without, the next."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from typing import Final

__all__ = ["date_edges", "number_edges", "time_edges"]

_WIDE: Final = Context(prec=1000)
_TEN: Final = Decimal(10)
_DAY: Final = timedelta(days=1)
_SPANS: Final = (
    *(timedelta(microseconds=n * 10**k) for k in range(6) for n in (1, 2, 5)),
    *(timedelta(seconds=n) for n in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)),
    *(timedelta(hours=n) for n in (1, 2, 3, 6, 12)),
    *(timedelta(days=n) for n in (1, 2, 7, 14)),
)
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12_000, 60_000, 120_000)
_EPOCH: Final = datetime(1970, 1, 5)  # noqa: DTZ001 - a Monday, in UTC
_FIRST, _LAST = datetime.min, datetime.max  # noqa: DTZ901
_MONTHS_OF_YEAR: Final = 12
_MAX_YEAR: Final = 9999


def number_edges(low: Decimal, high: Decimal, unit: Decimal | None, most: int) -> list[Decimal]:
    """Edges from at or below ``low`` to above ``high``.

    Args:
        low: the least value.
        high: the greatest.
        unit: the values are multiples of it, and so are the edges; None for any number.
        most: how many bins there may be.

    >>> [str(e) for e in number_edges(Decimal(3), Decimal(41), Decimal(1), 5)]
    ['0', '10', '20', '30', '40', '50']
    """
    with localcontext(_WIDE):
        step = max(_round_up((high - low) / most), unit or Decimal(0))
        if not step:
            step = _TEN ** (low.adjusted() - 15) if low else Decimal(1)
        while True:
            first, last = (int((v / step).to_integral_value(ROUND_FLOOR)) for v in (low, high))
            if last - first < most:
                return [_plain(step * n) for n in range(first, last + 2)]
            step = _round_up(step * 2)


def _round_up(value: Decimal) -> Decimal:
    """The least of 1, 2, 5, 10, … times a power of ten that is not less."""
    if not value:
        return value
    power = _TEN ** value.adjusted()
    return next(n * power for n in (1, 2, 5, 10) if n * power >= value)


def _plain(value: Decimal) -> Decimal:
    """Without an exponent above zero."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value


def time_edges(low: datetime, high: datetime, most: int) -> list[datetime]:
    """Edges of times, at round clock times, Mondays, or the first of months.

    Args:
        low: the least value, without a zone.
        high: the greatest.
        most: how many bins there may be.

    >>> [
    ...     f"{e:%H:%M}"
    ...     for e in time_edges(datetime(2026, 1, 1, 9, 7), datetime(2026, 1, 1, 9, 50), 5)
    ... ]
    ['09:00', '09:10', '09:20', '09:30', '09:40', '09:50', '10:00']
    """
    for span in _SPANS:
        if (high - low) / span < most:
            first, last = (low - _EPOCH) // span, (high - _EPOCH) // span
            return _times(span, first, last)
    return _months(low, high, most)


def _times(span: timedelta, first: int, last: int) -> list[datetime]:
    made: list[datetime] = []
    for n in range(first, last + 2):
        try:
            made.append(_EPOCH + n * span)
        except OverflowError:  # before year 1 or after 9999
            made.append(_FIRST if n == first else _LAST)
    return made


def date_edges(low: date, high: date, most: int) -> list[date]:
    """Edges of dates, at days, Mondays, or the first of months.

    Args:
        low: the least value.
        high: the greatest.
        most: how many bins there may be.
    """
    start = datetime.combine(low, datetime.min.time())
    end = datetime.combine(high, datetime.min.time())
    if high - low < most * _DAY:
        return [e.date() for e in _times(_DAY, (start - _EPOCH) // _DAY, (end - _EPOCH) // _DAY)]
    return [e.date() for e in time_edges(start, end, most)]


def _months(low: datetime, high: datetime, most: int) -> list[datetime]:
    first, last = low.year * 12 + low.month - 1, high.year * 12 + high.month - 1
    step = next(n for n in _MONTHS if (last - first) / n < most - 1)
    starts = [n for n in range(first // step * step, last + step + 1, step) if n >= _MONTHS_OF_YEAR]
    made = [datetime(n // 12, n % 12 + 1, 1) for n in starts if n // 12 <= _MAX_YEAR]  # noqa: DTZ001
    begun = made if made[0] <= low else [_FIRST, *made]
    return begun if begun[-1] > high else [*begun, _LAST]
