/** Modules that the page has already, as webpack shares them: scope[name][version]. */
interface Share {
  get(): Promise<() => unknown>;
  loaded?: boolean | number;
}
export type Scope = Record<string, Record<string, Share>>;

/** A module of the page: the version that is in use, else the newest; undefined when the page has none. */
export async function lend<T>(scope: Scope, name: string): Promise<T | undefined> {
  const versions = scope[name] ?? {};
  const used = Object.keys(versions).reduce<string | undefined>((best, next) => {
    if (best === undefined) return next;
    return !versions[best]?.loaded && isOlder(best, next) ? next : best;
  }, undefined);
  if (used === undefined) return undefined;
  return ((await versions[used]?.get()) as () => T)();
}

function isOlder(one: string, other: string): boolean {
  return one.localeCompare(other, "en", { numeric: true }) < 0;
}
