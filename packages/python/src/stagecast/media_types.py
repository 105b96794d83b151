"""The media type of a file, from its name alone, so that every machine agrees."""
import mimetypes

_OURS = {
    ".bib": "application/x-bibtex",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".md": "text/markdown; charset=utf-8",
    ".ndjson": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
    ".ris": "application/x-research-info-systems",
    ".txt": "text/plain; charset=utf-8",
}
_BUILT_IN = mimetypes.MimeTypes(filenames=())


def media_type_of(name: str) -> str:
    dot = name.rfind(".")
    extension = name[dot:].lower() if dot > 0 else ""
    if extension in _OURS:
        return _OURS[extension]
    kind, encoding = _BUILT_IN.guess_type(f"x{extension}")
    return kind if kind and not encoding else "application/octet-stream"
