"""The scores against scikit-learn, and the places where they differ from it on purpose."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from slmfit.evidence import metrics

pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


@settings(deadline=None, max_examples=60)
@given(pairs)
def test_every_score_is_scikit_learns_when_all_answers_are_labels(rows):
    truth, predicted = np.array(rows).T
    scores = metrics.scores_from_confusion(metrics.confusion(truth, predicted, 5))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of answers that are no label of the truth
        assert scores["accuracy"] == pytest.approx(sk.accuracy_score(truth, predicted))
        assert scores["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(truth, predicted))
        for average in ("macro", "micro", "weighted"):
            theirs = sk.precision_recall_fscore_support(truth, predicted, average=average, zero_division=0)
            ours = [scores[f"{name}_{average}"] for name in ("precision", "recall", "f1")]
            assert ours == pytest.approx(list(theirs[:3]))
    assert tuple(scores) == metrics.SCORE_NAMES


@settings(deadline=None, max_examples=60)
@given(pairs)
def test_an_unusable_answer_misses_but_is_no_class_of_its_own(rows):
    truth, predicted = np.array(rows).T
    truth = np.where(truth == 4, 0, truth)  # label 4 is "no usable answer" here, so never the truth
    present = sorted({*truth.tolist(), *predicted.tolist()} - {4})
    scores = metrics.scores_from_confusion(metrics.confusion(truth, np.where(predicted == 4, -1, predicted), 4))
    for average in ("macro", "micro", "weighted"):
        theirs = sk.precision_recall_fscore_support(truth, predicted, labels=present, average=average, zero_division=0)
        ours = [scores[f"{name}_{average}"] for name in ("precision", "recall", "f1")]
        assert ours == pytest.approx(list(theirs[:3]))


def test_confusion_keeps_unusable_answers_and_unseen_labels_apart():
    counts = metrics.confusion([0, 0, 1, 2], [0, -1, 7, 1], n_labels=3)
    assert counts.tolist() == [[1, 0, 0, 1], [0, 0, 0, 1], [0, 1, 0, 0]]


@pytest.mark.parametrize("truth, predicted", [([0, 3], [0, 0]), ([-1, 0], [0, 0]), ([0], [0, 1])])
def test_confusion_refuses_truth_that_is_no_label_and_unequal_lengths(truth, predicted):
    with pytest.raises(ValueError):
        metrics.confusion(truth, predicted, 3)


def test_nothing_to_score_is_zero_not_nan():
    assert {float(value) for value in metrics.scores_from_confusion(np.zeros((3, 4))).values()} == {0.0}


def test_a_stack_of_matrices_is_scored_as_each_alone():
    stack = np.random.default_rng(0).integers(0, 9, size=(7, 2, 3, 4))
    together = metrics.scores_from_confusion(stack)
    for name in metrics.SCORE_NAMES:
        assert together[name].shape == (7, 2)
        assert together[name][3, 1] == metrics.scores_from_confusion(stack[3, 1])[name]
    assert metrics.per_class(stack).f1.shape == (7, 2, 3)


def test_per_class_is_scikit_learns_report():
    rng = np.random.default_rng(1)
    truth, predicted = rng.integers(0, 4, 100), rng.integers(0, 4, 100)
    theirs = sk.precision_recall_fscore_support(truth, predicted, zero_division=0)
    for ours, other in zip(metrics.per_class(metrics.confusion(truth, predicted, 4)), theirs, strict=True):
        np.testing.assert_allclose(ours, other)


def test_log_loss_and_brier_are_scikit_learns():
    rng = np.random.default_rng(2)
    table, truth = rng.dirichlet(np.ones(3), size=50), rng.integers(0, 3, 50)
    assert metrics.log_loss_rows(table, truth).mean() == pytest.approx(sk.log_loss(truth, table, labels=[0, 1, 2]))
    two = np.stack([1 - table[:, 0], table[:, 0]], axis=1)
    ours = metrics.brier_rows(two, truth % 2).mean()
    assert ours == pytest.approx(2 * sk.brier_score_loss(truth % 2, two[:, 1]))


def test_a_truth_without_a_column_or_an_answer_without_probabilities_costs_the_clip():
    table = [[0.5, 0.5], [0.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    losses = metrics.log_loss_rows(table, [-1, 0, 0, 0])
    assert losses == pytest.approx([-math.log(metrics.CLIP)] * 3 + [0.0])
    assert metrics.brier_rows(table, [-1, 0, 0, 0]) == pytest.approx([1.5, 1.0, 2.0, 0.0])


@pytest.mark.parametrize("bad", [[[math.nan, 1.0]], [[-0.1, 1.1]], [[0.5, 1.5]], [0.5, 0.5]])
def test_what_is_no_table_of_probabilities_is_refused(bad):
    with pytest.raises(ValueError):
        metrics.log_loss_rows(bad, [0])


def test_the_loss_of_guessing():
    guess = metrics.random_guess_log_loss([0, 0, 0, 1], n_labels=4)
    assert guess.uniform == pytest.approx(math.log(4))
    assert guess.prior == pytest.approx(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert metrics.random_guess_log_loss([], n_labels=2).prior == 0


def test_calibration_error_by_hand_and_its_edges():
    # bins of 0.5: (0.2 sure, never right) and (0.9 sure, half right)
    assert metrics.expected_calibration_error([0.2, 0.9, 0.9], [0, 0, 1], bins=2) == pytest.approx(
        0.2 / 3 + 0.4 * 2 / 3
    )
    assert metrics.expected_calibration_error([0.0, 1.0], [0, 1]) == 0
    assert metrics.expected_calibration_error([], []) == 0
    bins = metrics.reliability_bins([0.0, 0.5, 1.0], [0, 1, 1], bins=2)
    assert bins.rows.tolist() == [2, 1]  # an edge belongs to the bin below it
    assert np.isnan(metrics.reliability_bins([1.0], [1], bins=2).accuracy[0])
