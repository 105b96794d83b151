"""Stage 3 tests the measurements for a trend; stage 4 computes the median of each month. Serve both with

    python3 -m uvicorn trends:stages --port 8002
"""
import csv
import io
import json
import math
import os
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist, median

from stagecast import StageError, Stages

stages = Stages(data=os.environ.get("STAGE_DATA_DIR", "data/trends"))


@dataclass
class TrendOptions:
    confidence: float = 0.95

    def __post_init__(self):
        if not 0.5 <= self.confidence <= 0.999:
            raise ValueError("confidence must be from 0.5 to 0.999")


@stages.stage(3, version="1", inputs=TrendOptions)
def trend(job):
    """Trend"""
    series = measurements(job)
    n = len(series)
    if n < 10:
        raise StageError("TOO_FEW_MEASUREMENTS", f"A trend needs 10 measurements at least; there are {n}.")
    s, slopes = 0, []
    for i, (day, value) in enumerate(series):
        yield 90 * i / n, f"comparing {day} with the days after it"
        for later, other in series[i + 1:]:
            s += (other > value) - (other < value)
            slopes.append((other - value) / ((later - day).days / 365.25))
    ties = Counter(value for _, value in series).values()
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    z = (s - (s > 0) + (s < 0)) / math.sqrt(variance) if variance else 0.0
    p = 2 * (1 - NormalDist().cdf(abs(z)))
    found = {
        **{name: job.upstream[2].results[name] for name in ("site", "parameter")},
        "measurements": n, "s": s, "z": round(z, 6), "p": round(p, 6), "confidence": job.inputs.confidence,
        "slope_per_year": round(median(slopes), 6), "significant": p < 1 - job.inputs.confidence,
    }
    job.write("trend.json", json.dumps(found, indent=2))
    return found


@stages.stage(4, version="1")
def seasons(job):
    """Seasons"""
    months = defaultdict(list)
    for day, value in measurements(job):
        months[day.month].append(value)
    medians = {month: median(months[month]) for month in sorted(months)}
    job.write("seasons.csv", "month,median\n" + "".join(f"{month},{value:g}\n" for month, value in medians.items()))
    return {"highest": max(medians, key=medians.get), "lowest": min(medians, key=medians.get)}


def measurements(job):
    with job.upstream[2].open("checked.csv") as file:
        rows = csv.DictReader(io.TextIOWrapper(file, "utf-8"))
        found = [(date.fromisoformat(row["date"]), float(row["value"])) for row in rows]
    if not found:
        raise StageError("NO_MEASUREMENTS", "No measurement passed the check; widen its limits.")
    return found
