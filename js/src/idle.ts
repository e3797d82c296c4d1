/** What comes after what is shown: asked for when the page is idle, drawn when it comes into sight. */
import { useEffect, useRef, useState } from "preact/hooks";

const LATEST_MS = 300;
const NEAR = "600px";

/** Calls back when the page has drawn what it has, so that no view waits for details of another; gives what takes it back. */
export function whenIdle(work: () => void): () => void {
  if (typeof requestIdleCallback === "undefined") {
    const timer = setTimeout(work, 0);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(work, { timeout: LATEST_MS });
  return () => cancelIdleCallback(handle);
}

/** Whether an element has ever been in sight, or nearly; it must have its size before. */
export function useSight<T extends Element>(): [{ current: T | null }, boolean] {
  const ref = useRef<T>(null);
  const [isSeen, setSeen] = useState(typeof IntersectionObserver === "undefined");
  useEffect(() => {
    if (isSeen || !ref.current) return undefined;
    const seeing = new IntersectionObserver((found) => found.some((f) => f.isIntersecting) && setSeen(true), { rootMargin: NEAR, scrollMargin: NEAR });
    seeing.observe(ref.current);
    return () => seeing.disconnect();
  }, [isSeen]);
  return [ref, isSeen];
}
