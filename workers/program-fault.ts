/** Errors that only a mistake in a program makes: another attempt would meet them again. */
export function isProgramFault(error: unknown): error is Error {
  return FAULTS.some((fault) => error instanceof fault)
}

const FAULTS = [TypeError, RangeError, ReferenceError, SyntaxError, EvalError, URIError]
