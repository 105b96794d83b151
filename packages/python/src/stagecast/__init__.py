"""Write research stages as Python functions; serve them to Stagecast as an ASGI application.

    from stagecast import Stages

    stages = Stages(data="data")

    @stages.stage(14, version="3")
    def draft(job):
        for n, part in enumerate(["intro", "methods"]):
            yield 50 * n, f"writing {part}"
            job.write(f"{part}.md", "…")
        return {"sections": 2}

Serve it with `uvicorn service:stages`.
"""
from .errors import Cancelled, StageError
from .job import Job
from .stages import Stages

__version__ = "0.1.0"
__all__ = ["Cancelled", "Job", "StageError", "Stages"]
