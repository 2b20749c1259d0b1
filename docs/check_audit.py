"""Checks an export of Millrace's audit log: python check_audit.py audit.jsonl"""
import hashlib, json, sys
sha = lambda value: hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
with open(sys.argv[1], encoding="utf-8", newline="\n") as file:
    first = json.loads(next(file))
    last, previous, count, owed = 0, "0" * 64, 0, {}
    for count, row in enumerate(map(json.loads, file), 1):
        digest, redacted = row.pop("digest"), row.pop("redacted", [])
        told = owed.pop(row["sequence"], None)  # what this row has to vouch for: rows that it took a person out of
        vouches = not told or not first["whole"] or row["detail"].get("redacted", {}).get("sha256") == sha(sorted(told))
        if sha(row) != (redacted[-1][0] if redacted else digest) or not vouches:
            sys.exit(f"Row {row['sequence']} was changed.")
        for text, deed in redacted:
            owed.setdefault(deed, []).append([row["sequence"], text])
        follows = row["previous"] == previous and row["sequence"] == last + 1
        if row["sequence"] <= last or (not follows and (first["whole"] or row["sequence"] == last + 1)):
            sys.exit(f"Row {row['sequence']} does not follow row {last}: rows were removed, put in or exchanged.")
        last, previous = row["sequence"], digest
if first["whole"] and ((last, previous) != (first["head"]["sequence"], first["head"]["digest"]) or owed):
    sys.exit(f"The end was cut off: there are {last} rows of {first['head']['sequence']}.")
print(f"{count} rows, as they were written.", "" if first["whole"] else "They are chosen rows: the chain has more.")
