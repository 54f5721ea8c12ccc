/** The listener, made so that what it throws harms nobody: the first time it is a warning of this process. */
export function harmless<T>(listener: (value: T) => void): (value: T) => void {
  let hasWarned = false;
  return (value) => {
    try {
      listener(value);
    } catch (thrown) {
      if (!hasWarned) process.emitWarning(`A listener failed, and was not told something: ${String(thrown)}`);
      hasWarned = true;
    }
  };
}
