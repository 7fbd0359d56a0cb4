"""Takes one change through the twin with PyGithub, on the way that selfext's own client goes, and checks every answer.

    flow.py API OWNER/NAME APP-ID KEY-FILE

Each step that held is printed as a line; the last line is a JSON object of what was made. The first step that does not hold ends
the program with an error.
"""

import base64
import datetime
import json
import sys

from github import Auth, Github, GithubException, GithubIntegration, InputGitAuthor, InputGitTreeElement, UnknownObjectException

BASE = "main"
BRANCH = "selfext/flow/by-pygithub#1"
BINARY = bytes(range(256))
ODD = "docs/ä file #1 50%.txt"
# A twin that has an App does everything as that one.
ACTOR = "by-pygithub[bot]"
# More than one page of ten.
MANY = 23


def held(step):
    print(f"held: {step}", flush=True)


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def refused(status, words, ask):
    """The refusal of a request that must be refused."""
    try:
        ask()
    except GithubException as error:
        same(error.status, status)
        assert words in str(error.data), error.data
        return error
    raise AssertionError(f"{status} {words!r} was expected, and there was no refusal")


def is_time(value):
    assert isinstance(value, datetime.datetime) and value.tzinfo is not None, value
    age = datetime.datetime.now(datetime.timezone.utc) - value
    assert abs(age) < datetime.timedelta(hours=1), value


def the_repository_and_its_base(github, name):
    repo = github.get_repo(name)
    same(repo.full_name, name)
    same((repo.default_branch, repo.owner.login, repo.archived, repo.fork), (BASE, name.split("/")[0], False, False))
    assert isinstance(repo.id, int) and repo.node_id and repo.permissions.push, repo.raw_data
    assert repo.allow_squash_merge and repo.allow_merge_commit and repo.allow_rebase_merge
    assert github.get_user().login
    rate = github.get_rate_limit().resources.core
    assert rate.limit >= rate.remaining > 0 and rate.reset > datetime.datetime.now(datetime.timezone.utc), rate
    branch = repo.get_branch(BASE)
    same((branch.name, branch.protected), (BASE, False))
    same(repo.get_git_ref(f"heads/{BASE}").object.sha, branch.commit.sha)
    refused(404, "Branch not protected", branch.get_protection)
    refused(404, "Not Found", lambda: github.get_repo(f"{name}-that-is-not-there"))
    held("the repository and its base branch are read")
    return repo, branch.commit.sha


def the_objects(repo, base):
    parent = repo.get_git_commit(base)
    same(parent.sha, base)
    binary = repo.create_git_blob(base64.b64encode(BINARY).decode(), "base64")
    read = repo.get_git_blob(binary.sha)
    same((base64.b64decode(read.content), read.encoding, read.size), (BINARY, "base64", len(BINARY)))
    held("a blob is written and read back")

    entries = [
        InputGitTreeElement("bin/data", "100644", "blob", sha=binary.sha),
        InputGitTreeElement("bin/run.sh", "100755", "blob", content="#!/bin/sh\n"),
        InputGitTreeElement(ODD, "100644", "blob", content="odd\n"),
        InputGitTreeElement("agent.txt", "100644", "blob", content="second\n"),
        InputGitTreeElement("old.txt", "100644", "blob", sha=None),
    ]
    tree = repo.create_git_tree(entries, parent.tree)
    listed = {entry.path: entry for entry in repo.get_git_tree(tree.sha, recursive=True).tree}
    assert "old.txt" not in listed and listed["bin/run.sh"].mode == "100755", sorted(listed)
    same((listed["bin/data"].sha, listed["bin/data"].size, listed["bin"].type), (binary.sha, len(BINARY), "tree"))
    assert ODD in listed, sorted(listed)
    held("a tree is made on top of the base's")

    body = {"message": "no", "tree": "0" * 40}
    refused(422, "Tree SHA", lambda: repo.requester.requestJsonAndCheck("POST", f"{repo.url}/git/commits", input=body))
    author = InputGitAuthor("An Agent", "agent@localhost", "2024-05-06T07:08:09Z")
    commit = repo.create_git_commit("Say why\n\nAnd how.", tree, [parent], author=author)
    read = repo.get_git_commit(commit.sha)
    same((read.message, read.tree.sha, [one.sha for one in read.parents]), ("Say why\n\nAnd how.", tree.sha, [base]))
    same((read.author.name, read.author.email), ("An Agent", "agent@localhost"))
    same(read.author.date, datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc))
    held("a commit is made")
    return commit


def the_branch(repo, commit, base):
    name = f"refs/heads/{BRANCH}"
    ref = repo.create_git_ref(name, base)
    same((ref.ref, ref.object.sha, ref.object.type), (name, base, "commit"))
    refused(422, "Reference already exists", lambda: repo.create_git_ref(name, commit.sha))
    refused(422, "Object does not exist", lambda: repo.create_git_ref(f"{name}2", "0" * 40))
    ref.edit(commit.sha)
    same(repo.get_git_ref(f"heads/{BRANCH}").object.sha, commit.sha)
    refused(422, "Update is not a fast forward", lambda: ref.edit(base))
    same([one.ref for one in repo.get_git_matching_refs("heads/selfext/flow")], [name])
    same(repo.get_branch(BRANCH).commit.sha, commit.sha)
    held("a branch with an odd name is made, found and moved")
    return ref


def the_pull_request(repo, commit):
    owner = repo.owner.login
    refused(422, "No commits between", lambda: repo.create_pull(BASE, BASE, title="Nothing"))
    pull = repo.create_pull(BASE, BRANCH, title="Say why", body="It is *better*.")
    same((pull.state, pull.title, pull.body, pull.draft), ("open", "Say why", "It is *better*.", False))
    same((pull.head.ref, pull.head.sha, pull.base.ref), (BRANCH, commit.sha, BASE))
    same((pull.head.label, pull.head.repo.full_name, pull.user.login), (f"{owner}:{BRANCH}", repo.full_name, ACTOR))
    assert isinstance(pull.id, int) and pull.node_id and pull.html_url, pull.raw_data
    is_time(pull.created_at)
    is_time(pull.updated_at)
    same((pull.closed_at, pull.merged_at, pull.merged_by, pull.merged), (None, None, None, False))
    refused(422, "A pull request already exists", lambda: repo.create_pull(BASE, BRANCH, title="Again"))
    found = repo.get_pulls(state="open", head=f"{owner}:{BRANCH}", base=BASE)
    same([one.number for one in found], [pull.number])
    pull.edit(body="It is better.")
    same(repo.get_pull(pull.number).body, "It is better.")
    held("a pull request is opened, found and edited")

    again = repo.get_pull(pull.number)
    same((again.mergeable, again.mergeable_state, again.rebaseable), (True, "clean", True))
    assert again.merge_commit_sha not in (None, commit.sha), "the commit of the merge that was tried"
    same((again.commits, again.changed_files), (1, 5))
    files = {one.filename: one for one in again.get_files()}
    same((files["old.txt"].status, files["agent.txt"].status, files[ODD].status), ("removed", "modified", "added"))
    same(files["agent.txt"].additions, 1)
    held("it says that it can be merged")
    return again


def the_checks(repo, pull, app):
    commit = repo.get_commit(pull.head.sha)
    empty = commit.get_combined_status()
    same((empty.state, empty.total_count, empty.statuses), ("pending", 0, []))
    for number in range(MANY):
        commit.create_status("pending", target_url="https://ci.example/1", description="It runs", context=f"ci/{number:02}")
        status = commit.create_status("success", description="It went well", context=f"ci/{number:02}")
        same((status.state, status.context, status.target_url), ("success", f"ci/{number:02}", None))
    is_time(status.created_at)
    same(status.creator.login, ACTOR)
    combined = commit.get_combined_status()
    same((combined.state, combined.total_count, combined.sha), ("success", MANY, commit.sha))
    same(combined.repository.full_name, repo.full_name)
    statuses = list(commit.get_statuses())
    same((len(statuses), statuses[0].context, statuses[0].state), (2 * MANY, f"ci/{MANY - 1:02}", "success"))
    same(len({one.id for one in statuses}), 2 * MANY)
    refused(422, "", lambda: commit.create_status("green", context="ci"))
    held("statuses are set, combined and listed page by page")

    refused(403, "GitHub App", lambda: repo.create_check_run("check", commit.sha))
    own = app.get_repo(repo.full_name)
    for number in range(MANY):
        output = {"title": "Tests", "summary": "All *passed*.", "text": "1 of 1"}
        run = own.create_check_run(f"check {number:02}", commit.sha, status="in_progress", external_id=str(number), output=output)
        same((run.status, run.conclusion, run.completed_at), ("in_progress", None, None))
        run.edit(status="completed", conclusion="success")
    is_time(run.completed_at)
    same((run.head_sha, run.output.summary, run.external_id), (commit.sha, "All *passed*.", str(MANY - 1)))
    same([one.number for one in run.pull_requests], [pull.number])
    assert isinstance(run.app.id, int) and run.app.slug and isinstance(run.check_suite_id, int), run.raw_data
    same(repo.get_check_run(run.id).conclusion, "success")
    runs = commit.get_check_runs()
    same((runs.totalCount, len(list(runs)), len({one.id for one in runs})), (MANY, MANY, MANY))
    forward = [one.id for one in commit.get_check_runs()]
    same([one.id for one in reversed(commit.get_check_runs())], forward[::-1])
    same([one.name for one in commit.get_check_runs(check_name="check 07")], ["check 07"])
    held("check runs are made, ended and listed page by page")


def the_comments(pull):
    for number in range(12):
        comment = pull.create_issue_comment(f"Comment {number}")
    comment.edit("The last comment")
    is_time(comment.created_at)
    told = [one.body for one in pull.get_issue_comments()]
    same((len(told), told[0], told[-1]), (12, "Comment 0", "The last comment"))
    pull.update()
    same(pull.comments, 12)
    held("comments are written, changed and listed page by page")


def the_merge(repo, pull, base):
    refused(409, "Head branch was modified", lambda: pull.merge(sha=base, merge_method="squash"))
    assert not pull.is_merged()
    words = {"commit_title": "Say why (#1)", "commit_message": "And how."}
    merged = pull.merge(sha=pull.head.sha, merge_method="squash", **words)
    assert merged.merged and merged.message, merged
    refused(405, "not mergeable", lambda: pull.merge(sha=pull.head.sha, merge_method="squash"))
    assert pull.is_merged()
    pull = repo.get_pull(pull.number)
    same((pull.state, pull.merged, pull.merge_commit_sha, pull.merged_by.login), ("closed", True, merged.sha, ACTOR))
    is_time(pull.merged_at)
    is_time(pull.closed_at)
    same(repo.get_git_ref(f"heads/{BASE}").object.sha, merged.sha)
    landed = repo.get_git_commit(merged.sha)
    same((landed.message, [one.sha for one in landed.parents]), ("Say why (#1)\n\nAnd how.", [base]))
    refused(422, "cannot be reopened", lambda: pull.edit(state="open"))
    held("it is merged once, and only at the head that is meant")
    return merged.sha


def the_branch_is_deleted(repo, ref):
    ref.delete()
    try:
        repo.get_git_ref(f"heads/{BRANCH}").object
    except UnknownObjectException:
        pass
    else:
        raise AssertionError("the branch is still there")
    refused(422, "Reference does not exist", ref.delete)
    held("the branch is deleted")


def what_landed(repo, base, landed):
    compared = repo.compare(base, BASE)
    same((compared.status, compared.ahead_by, compared.behind_by, compared.total_commits), ("ahead", 1, 0, 1))
    same([one.sha for one in compared.commits], [landed])
    same(compared.merge_base_commit.sha, base)
    same(sorted(one.filename for one in compared.files), sorted(["agent.txt", "bin/data", "bin/run.sh", ODD, "old.txt"]))
    same(repo.compare(BASE, base).status, "behind")
    same(repo.compare(BASE, landed).status, "identical")
    commit = repo.get_commit(landed)
    same((commit.commit.tree.sha, commit.stats.total > 0), (repo.get_git_commit(landed).tree.sha, True))
    same([one.number for one in commit.get_pulls()], [1])
    held("base and head are compared")

    file = repo.get_contents(ODD, ref=BASE)
    same((file.type, file.path, file.encoding, file.decoded_content), ("file", ODD, "base64", b"odd\n"))
    same(repo.get_contents("bin/data").decoded_content, BINARY)
    same(sorted((one.name, one.type) for one in repo.get_contents("bin")), [("data", "file"), ("run.sh", "file")])
    refused(404, "Not Found", lambda: repo.get_contents("old.txt"))
    same(repo.get_contents("old.txt", ref=base).decoded_content, b"old\n")
    held("files are read by their path")


def a_pull_request_that_is_given_up(repo, landed):
    parent = repo.get_git_commit(landed)
    entry = InputGitTreeElement("agent.txt", "100644", "blob", content="third\n")
    commit = repo.create_git_commit("Third", repo.create_git_tree([entry], parent.tree), [parent])
    repo.create_git_ref("refs/heads/selfext/given-up", commit.sha)
    pull = repo.create_pull(BASE, "selfext/given-up", title="Third", draft=True)
    refused(405, "draft", lambda: pull.merge())
    pull.edit(state="closed")
    same((repo.get_pull(pull.number).state, repo.get_pull(pull.number).merged), ("closed", False))
    same([one.number for one in repo.get_pulls(state="closed", sort="created", direction="desc")], [pull.number, 1])
    same(list(repo.get_pulls()), [])
    held("a pull request is closed without being merged")


def main():
    api, name, app_id, key_file = sys.argv[1:]
    usual = {"base_url": api, "retry": None, "timeout": 30, "seconds_between_requests": None, "seconds_between_writes": None}
    github = Github(auth=Auth.Token("any-token"), per_page=10, **usual)
    with open(key_file) as key:
        integration = GithubIntegration(auth=Auth.AppAuth(int(app_id), key.read()), **usual)
    app = integration.get_repo_installation(*name.split("/")).get_github_for_installation()
    repo, base = the_repository_and_its_base(github, name)
    commit = the_objects(repo, base)
    ref = the_branch(repo, commit, base)
    pull = the_pull_request(repo, commit)
    the_checks(repo, pull, app)
    the_comments(pull)
    landed = the_merge(repo, pull, base)
    the_branch_is_deleted(repo, ref)
    what_landed(repo, base, landed)
    a_pull_request_that_is_given_up(repo, landed)
    print(json.dumps({"base": base, "head": commit.sha, "landed": landed, "number": pull.number}), flush=True)


if __name__ == "__main__":
    main()
