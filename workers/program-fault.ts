/** Errors that only a bug can cause: they would occur at every attempt. */
export function isProgramFault(error: unknown): error is Error {
  return FAULTS.some((fault) => error instanceof fault)
}

const FAULTS = [TypeError, RangeError, ReferenceError, SyntaxError, EvalError, URIError]
