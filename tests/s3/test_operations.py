"""Every operation that AWS's model of S3 names is done, answered as off, or not implemented and says so; and the
document says which."""

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

import document
from operations import ALWAYS_OFF, ELSEWHERE, Survey

MODEL = ServiceModel(Loader().load_service_model("s3", "service-2"))
OPERATIONS = sorted(set(MODEL.operation_names) - ELSEWHERE, key=lambda name: (name.startswith("Delete"), name))

pytestmark = pytest.mark.stores("daypass")
answers = {}


@pytest.fixture(scope="module")
def survey(store):
    s3 = store.client(parameter_validation=False)
    s3.create_bucket(Bucket="survey")
    survey = Survey(s3, "survey")
    survey.prepare()
    return survey


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_there_or_says_that_it_is_not(survey, operation):
    methods = {name: method for method, name in survey.s3.meta.method_to_api_mapping.items()}
    answers[operation] = survey.ask(operation, getattr(survey.s3, methods[operation]))
    answered = answers[operation]
    assert answered in ("done", "`NotImplemented`, 501", *ALWAYS_OFF.values()) or answered.endswith("where it is off")


def test_the_document_says_what_was_seen(request, store):
    """It comes last, and a run of some tests cannot pass it."""
    current = document.render(answers)
    assert len(answers) == len(OPERATIONS), "the document is about the whole of this file; run all of it"
    if request.config.getoption("--regenerate"):
        document.DOCUMENT.write_text(current)
    assert document.DOCUMENT.read_text() == current, "docs/reference/s3-operations.md is stale; run `cargo xtask gen`"
