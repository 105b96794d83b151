"""A stage service: stage 2 scores a handful of invented records against the question. Serve it with

    python3 -m uvicorn service:stages --port 8000
"""
import json
import os
import re

from stagecast import StageError, Stages

stages = Stages(data=os.environ.get("STAGE_DATA_DIR", "data"))

# Invented: nothing here was published or measured.
RECORDS = [
    {"year": 2021, "title": "Intermittent fasting and blood pressure: an invented trial"},
    {"year": 2018, "title": "Cardiovascular health after a year of invented fasting"},
    {"year": 2015, "title": "Statins and cardiovascular events: an invented cohort"},
    {"year": 2023, "title": "Sleep, memory and an invented laboratory"},
]


@stages.stage(2, version="1")
def review(job):
    """Literature review"""
    keywords = sorted(set(re.findall(r"\w{4,}", (job.question or "").lower())))
    if not keywords:
        raise StageError("QUESTION_MISSING", "Stage 2 needs a research question with words in it.")
    papers = []
    for n, record in enumerate(RECORDS):
        yield 20 + 15 * n, f"scoring {record['year']}"
        score = sum(word in record["title"].lower() for word in keywords)
        if score:
            papers.append({**record, "score": score})
    papers.sort(key=lambda paper: -paper["score"])
    report = {"source": "sample", "notice": "Invented records.", "question": job.question, "papers": papers}
    job.write("literature_review.json", json.dumps(report, indent=2))
    return {"source": "sample", "matched": len(papers)}
