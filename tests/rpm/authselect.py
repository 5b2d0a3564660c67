"""The authselect profile (rpm/authselect) without authselect: renders its templates as authselect-profiles(5) says they are, and
looks at what comes of every set of features. Other tests take files from rendered().
"""

import itertools
import os
import re
import sys

PROFILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "rpm", "authselect")
STACKS = ("system-auth", "password-auth")
PAM_FILES = (*STACKS, "postlogin", "fingerprint-auth", "smartcard-auth", "switchable-auth")
ALL_FILES = (*PAM_FILES, "nsswitch.conf", "dconf-db", "dconf-locks", "REQUIREMENTS")

EXPRESSION = r'([^{}|:]+)'
LINE = re.compile(r"\{(continue if|stop if|include if|exclude if) " + EXPRESSION + r"\}")
IMPLY = re.compile(r'\{imply "([^{}"|]+)" if ' + EXPRESSION + r"\}")
VALUE = re.compile(r"\{if " + EXPRESSION + r":([^{}|]*)(?:\|([^{}|]*))?\}")

OUR_RESULTS = {
    "auth": "[success=done user_unknown=ignore authinfo_unavail=ignore module_unknown=ignore default=die]",
    "account": "[success=ok user_unknown=ignore authinfo_unavail=ignore module_unknown=ignore default=die]",
    "password": "[success=done user_unknown=ignore authinfo_unavail=ignore module_unknown=ignore default=die]",
    "session": "optional",
}


def template(name):
    with open(os.path.join(PROFILE, name)) as file:
        return file.read()


def holds(expression, features):
    """`"feature"`, and, or, not, parentheses."""
    words = re.findall(r'"[^"]+"|\(|\)|\w+', expression)
    if re.sub(r"\s", "", expression) != "".join(words):
        raise ValueError(f"not an expression: {expression}")
    for word in words:
        if not word.startswith('"') and word not in ("and", "or", "not", "(", ")"):
            raise ValueError(f"not an expression: {expression}")
    return eval(" ".join(str(word[1:-1] in features) if word.startswith('"') else word for word in words))  # noqa: S307


def rendered(name, features):
    """The file that authselect would write."""
    text, features = template(name), set(features)
    for implied, expression in IMPLY.findall(text):
        if holds(expression, features):
            features.add(implied)
    lines = []
    for line in text.splitlines():
        if IMPLY.search(line):
            continue
        keep = True
        for operator, expression in LINE.findall(line):
            true = holds(expression, features)
            if operator in ("continue if", "stop if"):
                if true is (operator == "stop if"):
                    return "\n".join(lines) + "\n"
                keep = False
            else:
                keep = keep and true is (operator == "include if")
        if keep:
            line = LINE.sub("", line)
            line = VALUE.sub(lambda match: match[2] if holds(match[1], features) else match[3] or "", line)
            lines.append(line.rstrip())
    return "\n".join(lines) + "\n"


def features_of(text):
    return set(re.findall(r'"([a-z0-9-]+)"', "".join(re.findall(r"\{[^{}]*\}", text))))


def rows(text):
    """(type, control, module, arguments) for each line of a PAM file; the leading dash of a type is dropped."""
    found = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r"-?(auth|account|password|session)\s+(\[[^]]*\]|\w+)\s+(pam_\w+\.so)(.*)", line)
        if not match:
            raise AssertionError(f"no line for PAM: {line!r}")
        found.append((match[1], match[2], match[3], match[4].split()))
    return found


def check_stack(name, text):
    """Ours before whatever may let somebody in, a jump always lands on a line, and nothing lets in at the end."""
    for kind in ("auth", "account", "password", "session"):
        lines = [row for row in rows(text) if row[0] == kind]
        modules = [row[2] for row in lines]
        assert modules.count("pam_oidc.so") == 1, f"{name}: {kind} has {modules.count('pam_oidc.so')} lines of ours"
        place = modules.index("pam_oidc.so")
        assert lines[place][1] == OUR_RESULTS[kind], f"{name}: {kind} has other results for ours"
        assert place < modules.index("pam_unix.so"), f"{name}: {kind} asks pam_unix first"
        for row in lines[:place]:
            assert row[1] == "required" and row[2] == "pam_env.so", f"{name}: {kind} has {row} before ours"
        for index, row in enumerate(lines):
            for jump in re.findall(r"=(\d+)", row[1]):
                assert index + int(jump) < len(lines) - (kind != "session"), f"{name}: {kind} jumps past its end: {row}"
        if kind in ("auth", "password"):
            assert lines[-1][1:3] == ("required", "pam_deny.so"), f"{name}: {kind} does not end in a denial"


def check_nsswitch(text):
    for database in ("passwd", "group"):
        lines = re.findall(rf"^{database}:\s+(.*)$", text, re.M)
        assert len(lines) == 1, f"nsswitch.conf has {len(lines)} lines for {database}"
        words = lines[0].split()
        assert words[0] == "files" and words[-1] == "oidc", f"{database}: {lines[0]}"
        assert "return" not in lines[0].lower(), f"{database} ends before oidc: {lines[0]}"


def check(features):
    for name in ALL_FILES:
        text = rendered(name, features)
        assert not re.search(r"[{}]", text), f"{name} has an operator that was not understood"
        if name in PAM_FILES:
            rows(text)
    for name in STACKS:
        check_stack(name, rendered(name, features))
    check_nsswitch(rendered("nsswitch.conf", features))
    for name in ("fingerprint-auth", "smartcard-auth", "switchable-auth"):
        assert [row[:3] for row in rows(rendered(name, features))] == [("auth", "required", "pam_debug.so")], name


def main():
    known = set(re.findall(r"^([a-z0-9-]+)::$", template("README"), re.M))
    used = set().union(*(features_of(template(name)) for name in ALL_FILES))
    assert known == used, f"features that only the README or only the templates have: {known ^ used}"
    assert sorted(os.listdir(PROFILE)) == sorted((*ALL_FILES, "README")), "files that are not looked at"
    assert template("system-auth") == template("password-auth")
    sets = 0
    # What asks for what is known, so that only features which stand in one line need every combination.
    for size in range(len(known) + 1):
        for features in itertools.combinations(sorted(known), size):
            if size <= 3 or size >= len(known) - 2:
                check(features)
                sets += 1
    print(f"{sets} sets of features")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as fault:
        sys.exit(str(fault))
