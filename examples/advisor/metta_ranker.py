"""An advisor whose rules are written in MeTTa, on the interpreter of the package `hyperon`.

metta_ranker.py RULES reads requests on its standard input and writes an answer to each, line by line
(docs/guides/advisors.md). The rules define (worth KIND PRIORITY AGE SLACK), a number; the task that
is worth most begins first. Where hyperon is not installed each request is answered with an error
that says so.
"""

import json
import sys

ASSUMED_ESTIMATE_MS = 60_000


def load(path):
    """What evaluates an expression by the rules, or why there is nothing that does."""
    try:
        from hyperon import MeTTa
    except ImportError as error:
        return None, f"hyperon is not installed (pip install hyperon): {error}"
    metta = MeTTa()
    with open(path, encoding="utf-8") as rules:
        metta.run(rules.read())
    return metta, None


def expression(task):
    slack = "(none)"
    if "deadline_ms" in task:
        left = task["deadline_ms"] - task.get("estimate_ms", ASSUMED_ESTIMATE_MS)
        slack = f"(ms {left})"
    kind = json.dumps(task["kind"], ensure_ascii=False)
    return f"!(worth {kind} {task['priority']} {task['age_ms']} {slack})"


def rank(metta, request):
    tasks = request["tasks"]
    results = metta.run("\n".join(expression(task) for task in tasks))
    worth = {}
    for task, atoms in zip(tasks, results, strict=True):
        if len(atoms) != 1:
            raise ValueError(f"the rules give {len(atoms)} values for {expression(task)}")
        worth[task["id"]] = float(str(atoms[0]))
    order = sorted(worth, key=worth.get, reverse=True)  # among equals the built-in order
    return {"rank": request["rank"], "order": order, "scores": [worth[task] for task in order]}


def main():
    metta, trouble = load(sys.argv[1])
    for line in sys.stdin:
        question = json.loads(line)
        answer = {"id": question["id"]}
        if metta is None:
            answer["error"] = trouble
        else:
            try:
                answer["answer"] = rank(metta, question["request"])
            except (KeyError, ValueError) as error:
                answer["error"] = f"the rules cannot be used: {error}"
        print(json.dumps(answer), flush=True)


main()
