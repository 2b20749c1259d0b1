/**
 * What the inbox keeps on this computer, so that it can be read and answered without a network: in IndexedDB, of one person
 * only. It is gone when they sign out, and when somebody else signs in.
 */
const NAME = "millrace-inbox";
const STORE = "kept";
const OWNER = "owner";

let opened: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error("IndexedDB"));
  }).catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

async function run<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T> | undefined): Promise<T | undefined> {
  try {
    const database = await open();
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const asked = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(asked?.result);
      transaction.onerror = () => reject(transaction.error ?? new Error("IndexedDB"));
      transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB"));
    });
  } catch {
    // A browser that keeps nothing for us works as before, with a network.
    return undefined;
  }
}

/** An answer that comes after its person has gone is not kept. */
let accepts = true;
/** Whose it all is may still be looked up: what was kept before that would be gone by it. */
let settling: Promise<void> = Promise.resolve();

export async function keep(key: string, value: unknown): Promise<void> {
  await settling;
  if (accepts) await run("readwrite", (store) => store.put(value, key));
}
export const drop = (key: string): Promise<unknown> => run("readwrite", (store) => store.delete(key));
export async function kept<T>(key: string): Promise<T | undefined> {
  return (await run<unknown>("readonly", (store) => store.get(key))) as T | undefined;
}

const under = (prefix: string) => IDBKeyRange.bound(prefix, `${prefix}\uffff`);
export async function allUnder<T>(prefix: string): Promise<T[]> {
  return ((await run<unknown[]>("readonly", (store) => store.getAll(under(prefix)))) ?? []) as T[];
}
export const dropUnder = (prefix: string): Promise<unknown> => run("readwrite", (store) => store.delete(under(prefix)));
export async function keysUnder(prefix: string): Promise<string[]> {
  return ((await run<IDBValidKey[]>("readonly", (store) => store.getAllKeys(under(prefix)))) ?? []).map(String);
}

/** Forgets everything. */
export async function dropAll(): Promise<void> {
  accepts = false;
  await run("readwrite", (store) => store.clear());
}

/** Keeps nothing more until somebody is here again. */
export function keepNothing(): void {
  accepts = false;
}

/** From here on everything is this person's: what somebody else left is gone first. */
export function belongsTo(person: string): Promise<void> {
  settling = settle(person);
  return settling;
}

async function settle(person: string): Promise<void> {
  const owner = await kept<string>(OWNER);
  if (owner !== person) {
    await dropAll();
    await run("readwrite", (store) => store.put(person, OWNER));
  }
  accepts = true;
}
