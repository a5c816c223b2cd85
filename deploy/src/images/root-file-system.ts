/** What an image holds, before a byte of it is copied: by absolute path in the image, what lies there. */

export type Entry =
  | { readonly kind: "folder"; readonly mode: number; readonly owner: number }
  | { readonly kind: "file"; readonly source: string; readonly mode: number }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "link"; readonly target: string };

export type RootFileSystem = ReadonlyMap<string, Entry>;

/** Who every process of every image is: nobody else's number on any common distribution. */
export const userId = 65_532;

/** In the order in which they are to be made: a folder comes before what lies in it. */
export function inOrder(root: RootFileSystem): readonly (readonly [path: string, entry: Entry])[] {
  const folders = new Map<string, Entry>();
  for (const path of root.keys()) for (const above of foldersAbove(path)) folders.set(above, plainFolder);
  return [...folders, ...root]
    .reduce((all, [path, entry]) => all.set(path, entry), new Map<string, Entry>())
    .entries()
    .toArray()
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

const plainFolder: Entry = { kind: "folder", mode: 0o755, owner: 0 };

function foldersAbove(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}
