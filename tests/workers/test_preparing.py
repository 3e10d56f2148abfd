"""How workflows are validated when a worker starts, what the SDK's instance of a run is made of, and what of it is left."""
import json
import sys

import harness
import pytest

LINES = """
import os
if workflow.unsafe.in_sandbox():
    with workflow.unsafe.sandbox_unrestricted():
        if "FAILS" in os.environ:
            raise ValueError("cannot be imported")
"""


@pytest.fixture
def seen(run_program, tmp_path):
    def run(*arguments, **settings):
        (tmp_path / "flow_of_test.py").write_text(harness.FLOW.format(LINES))
        ended = run_program(sys.executable, harness.PROGRAMS / "preparing.py", *arguments, **{"PYTHONPATH": tmp_path, **settings})
        assert ended.out.strip(), str(ended)
        return json.loads(ended.out)
    return run


@pytest.mark.parametrize("isolation, again", [("shared", False), ("private", True)])
def test_a_workflow_is_validated_once_where_its_image_is_there(seen, isolation, again):
    result = seen(SANDGLASS_ISOLATION=isolation)
    assert result["refused"] == 3  # what failed is tried again
    assert result["prepared"] == (3 if again else 1)
    assert result["another runner"] == (3 if again else 0)
    assert result["other settings"] == (3 if again else 1)
    assert result["a class below"] == 3  # its create_instance() may be its own


@pytest.mark.parametrize("passed_through", [[], ["minimum"]], ids=["usual", "minimum"])
@pytest.mark.parametrize("isolation", ["shared", "private"])
def test_the_instance_gets_the_details_with_the_definition_of_the_run(seen, isolation, passed_through):
    result = seen(*passed_through, SANDGLASS_ISOLATION=isolation)
    assert result["details"] == {"changed": ["defn"], "kept": True, "own class": True}
    assert result["details with types"]["changed"] == ["defn", "worker_level_failure_exception_types"]
    assert result["types"] == ["ValueError", "ValueError"]  # the worker's and the run's


@pytest.mark.parametrize("isolation", ["shared", "private"])
def test_a_workflow_file_that_the_host_imports_again_is_read_anew(seen, isolation):
    """What has only changed on disk, under a worker that runs, is not."""
    assert seen(SANDGLASS_ISOLATION=isolation)["reloaded"] == [2, 2]


@pytest.mark.parametrize("isolation", ["shared", "private"])
def test_the_workers_side_of_a_run_that_comes_and_goes(run_program, tmp_path, isolation):
    (tmp_path / "flow_of_test.py").write_text(harness.FLOW.format(""))
    ended = run_program(sys.executable, harness.PROGRAMS / "leaving.py", **{"PYTHONPATH": tmp_path, "SANDGLASS_ISOLATION": isolation})
    assert ended.out.strip(), str(ended)
    result = json.loads(ended.out)
    assert result["threads"] == [[False, False]] * 3
    assert result["there"] == "sandbox-validate-workflow_id" and "has left the cache" in result["gone"]
    assert result["left"] == 0  # nobody holds the SDK's instances any more
