import dataclasses, time
from stagecast import Stages
stages = Stages(data="data")
@stages.stage(14, version="1", inputs=dataclasses.make_dataclass("Inputs", [("words", int)]))
def draft(job):
    for n in range(job.inputs.words):
        yield 100 * n / job.inputs.words, f"word {n}"
        time.sleep(0.2)
    job.write("draft.md", "word " * job.inputs.words)
    return {"words": job.inputs.words}
