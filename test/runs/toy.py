"""Two toy stages: 2 counts the words of stage 1, and 3 writes the frequent ones to a file."""
import os

from stagecast import Stages

stages = Stages(data=os.environ["STAGE_DATA_DIR"])


@stages.stage(2, version="1")
def count(job):
    words = job.upstream[1].results["words"]
    return {"counts": {word: words.count(word) for word in sorted(set(words))}}


@stages.stage(3, version="1")
def summary(job):
    counts = job.upstream[2].results["counts"]
    yield 50, f"{len(counts)} words"
    least = job.inputs.get("least", 2)
    frequent = [word for word, times in counts.items() if times >= least]
    job.write("summary.txt", "\n".join(frequent) + "\n")
    return {"frequent": frequent}
