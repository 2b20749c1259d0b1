"""Compares the files in a folder with a Millrace manifest: python check_manifest.py manifest.jsonl folder"""
import hashlib, json, pathlib, sys

*body, last = pathlib.Path(sys.argv[1]).read_bytes().splitlines(keepends=True)
end = json.loads(last)
if hashlib.sha256(b"".join(body)).hexdigest() != end["sha256"] or len(body) - 1 != end["items"]:
    sys.exit("The manifest itself was changed.")
there = {}
for path in sorted(pathlib.Path(sys.argv[2]).rglob("*")):
    if path.is_file():
        there.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), []).append(path)
wrong = 0
for entry in map(json.loads, body[1:]):
    for file in entry["files"]:
        if there.get(file["sha256"]):
            there[file["sha256"]].pop()
        else:
            wrong += 1
            print(f"missing or changed: {file['name']} of number {entry['seq']} ({entry['key']})")
extra = [path for paths in there.values() for path in paths]
print(*(f"not in the manifest: {path}" for path in extra), f"{wrong} wrong, {len(extra)} extra", sep="\n")
sys.exit(1 if wrong or extra else 0)
