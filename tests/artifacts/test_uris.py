"""Sources as text: refused, local, or carrying secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.artifacts.uris import check_source, has_scheme, local_path, without_secrets
from gitreg.errors import InvalidInput

CWD = Path("/home/me")


@pytest.mark.parametrize(
    "source",
    [
        "runs:/4d14bdd3277449bdb75c9869b6d551b8/model",
        "models:/m-4d7a4275749b4705a15e7c22770c340f",
        "models:/Fraud/12",
        "s3://bucket/a/b..c/model",
        "abfss://container@account.dfs.core.windows.net/model",
        "ssh://git@host/models.git",
        "https://huggingface.co/org/model/tree/main?download=true",
        "mlflow-artifacts:/1/abc/artifacts/model",
        "../model",
        "/srv/models/été 1",
        "C:\\models\\fraud",
        "docker://image:tag@sha256:00",
    ],
)
def test_ordinary_sources_pass_without_a_word(source: str) -> None:
    assert check_source(source) == ()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "blank"),
        (" \t", "blank"),
        ("s3://b/\x1b]52;c;x\x07", "control character"),
        ("s3://b/a\nb", "control character"),
        ("s3://b/a\u2028b", "control character"),
        ("s3://b/\udce9", "not UTF-8"),
        ("s3://" + "x" * 8188, "8193 bytes"),
        ("s3://" + "é" * 4094, "8193 bytes"),
    ],
)
def test_sources_that_no_manifest_can_hold_are_refused(source: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as caught:
        check_source(source)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "source",
    [
        r"\\..\\x",
        "%2e%2e%2fetc",
        "%252e%252e/etc",
        "http:///#/../../etc",
        "dbfs:/../x",
        "s3://bucket/../other",
        "s3://bucket/..\\x",
        "file:///srv/../etc/passwd",
        "file:///srv/%2e%2e/etc",
        "https://host/a?path=../b",
    ],
)
def test_d01_sources_that_climb_are_refused(source: str) -> None:
    with pytest.raises(InvalidInput, match=r"climbs out .* with \"\.\.\""):
        check_source(source)


@pytest.mark.parametrize(
    "source", ["https://me:hunter2@host/m", "ftp://me:hunter2@host/m", "postgresql+x://:hunter2@h/db"]
)
def test_d04_a_password_is_refused_and_not_repeated(source: str) -> None:
    with pytest.raises(InvalidInput, match="password") as caught:
        check_source(source)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "source",
    [
        "https://acc.blob.core.windows.net/c/m?sv=2022&sig=hunter2%3D",
        "https://b.s3.amazonaws.com/m?X-Amz-Signature=hunter2",
        "https://h/m?access_token=hunter2",
        "https://h/m?x=1&API_KEY=hunter2",
        "https://h/m#token=hunter2",
        "https://hunter2@host/m",
    ],
)
def test_a_secret_in_a_query_is_warned_of_and_not_repeated(source: str) -> None:
    (warning,) = check_source(source)
    assert "committed" in warning and "hunter2" not in warning


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("model", "/home/me/model"),
        ("./model", "/home/me/model"),
        ("/srv/model", "/srv/model"),
        ("file:///srv/a%20b", "/srv/a b"),
        ("file:/srv/model", "/srv/model"),
        ("FILE://localhost/srv/model", "/srv/model"),
    ],
)
def test_local_sources(source: str, path: str) -> None:
    assert local_path(source, cwd=CWD) == Path(path)


@pytest.mark.parametrize(
    "source",
    [
        "file://server/share/model",
        "file:////server/share",
        "//server/share",
        r"\\server\share",
        r"C:\models",
        "file:model",
        "file:///a%00b",
        "file:///a%0ab",
        "file:///a?b",
        "s3://b/m",
        "runs:/1/m",
    ],
)
def test_sources_that_are_not_local(source: str) -> None:
    assert local_path(source, cwd=CWD) is None


def test_a_drive_letter_is_no_scheme() -> None:
    assert not has_scheme("C:/models")
    assert has_scheme("s3://b") and has_scheme("runs:/x")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://me:hunter2@host/r.git", "https://host/r.git"),
        ("https://hunter2@github.com/o/r.git", "https://github.com/o/r.git"),
        ("see http://a:hunter2@h/x and https://b:hunter2@i/y", "see http://h/x and https://i/y"),
        ("git@github.com:o/r.git", "git@github.com:o/r.git"),
        ("ssh://git@host/r.git", "ssh://git@host/r.git"),
        ("postgresql://u:hunter2@db/mlflow", "postgresql://u@db/mlflow"),
        ("https://a:p@ss@host/x", "https://host/x"),
        ("https://host/a@b", "https://host/a@b"),
    ],
)
def test_without_secrets(text: str, clean: str) -> None:
    assert without_secrets(text) == clean
