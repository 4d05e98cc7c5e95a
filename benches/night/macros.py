"""Macros of SQL for an engine that has none: their text is put in the places where they are called."""

import re


class Macros:
    def __init__(self):
        self.known = {}

    def define(self, sql):
        """Keeps a macro that is defined as `CREATE MACRO name(parameters) AS expression`; it may call those before it."""
        name, parameters, body = re.fullmatch(r"CREATE MACRO (\w+)\((.*?)\) AS (.*)", sql, re.DOTALL).groups()
        self.known[name] = (re.findall(r"\w+", parameters), self.expand(body))

    def expand(self, sql):
        """Returns SQL without calls of macros."""
        # The last call holds no other.
        while calls := [call for call in re.finditer(r"\b(\w+)\(", sql) if call[1] in self.known]:
            values, end = arguments(sql, calls[-1].end())
            parameters, body = self.known[calls[-1][1]]
            given = {parameter: f"({value})" for parameter, value in zip(parameters, values)}
            # Quoted texts are no parameters.
            text = re.sub(r"'[^']*'|\w+", lambda word: given.get(word[0], word[0]), body)
            sql = f"{sql[:calls[-1].start()]}({text}){sql[end:]}"
        return sql


def arguments(sql, begin):
    """Returns the arguments of a call that begin there, and where the call ends."""
    depth, values, last = 0, [], begin
    for sign in re.finditer(r"'[^']*'|[(),\[\]]", sql[begin:]):
        place = begin + sign.start()
        if depth == 0 and sign[0] in ",)":
            values.append(sql[last:place].strip())
            last = place + 1
        if depth == 0 and sign[0] == ")":
            return values, last
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(sign[0], 0)
    raise ValueError(f"a call has no end: {sql[begin:]}")
