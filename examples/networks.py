"""Every network under one protocol, beside an SVM.

``python examples/networks.py --data FOLDER`` prints tables of the page "Results". FOLDER holds
``emodb`` and ``ravdess``. Every finished fold is kept in ``--results``, so the command can be
stopped and run again. ``--scale paper`` has the widths of the papers and all folds, ``--scale
smoke`` takes made speech and seconds. ``--dry-run`` shows what would be run and what it would cost.
"""

import os
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")

from _protocol import LeowFolds, make_parser, parse
from _systems import (
    EPOCHS,
    NOTES,
    WIDTHS,
    front_end,
    make_acrnn,
    make_glam,
    on_log_mel,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.evaluation import HoldoutSearchCV
from serkit.feature_extraction import MFCC, OpenSmileFunctionals
from serkit.neural_network import (
    CLDNNClassifier,
    CRNNClassifier,
    DomainAdversarialClassifier,
    LDNNClassifier,
)
from serkit.preprocessing import AudioLoader, WienerFilter


class Protocol(LeowFolds):
    """The networks on one corpus, as pipelines from audio."""

    def __init__(self, name, arguments):
        super().__init__(name, arguments)
        self.training = {**self.validation, **EPOCHS[self.scale]}

    def systems(self):
        """Return every system by name; the name says where it is other than in its paper."""
        notes = NOTES[self.scale]
        systems = {
            "ComParE_2016 + SVM": self.svm,
            "CRNN": partial(self.leow, CRNNClassifier),
            "DAT, gamma 2.5": partial(self.leow, DomainAdversarialClassifier, gamma=2.5),
            "LDNN": lambda: on_log_mel(LDNNClassifier(**self.training)),
        }
        for convolution in ("s", "t", "st", "fst"):
            note = notes["cldnn"] if convolution in WIDTHS[self.scale]["cldnn"] else ""
            systems[f"CLDNN {convolution}{note}"] = partial(self.cldnn, convolution)
        systems[f"ACRNN{notes['acrnn']}"] = partial(make_acrnn, self.scale, **self.validation)
        for name, n_blocks in (("GLAM", 3), ("Modified GLAM", 4)):
            systems[f"{name}{notes['glam']}"] = partial(
                make_glam, self.scale, n_blocks=n_blocks, **self.validation
            )
        if self.scale == "smoke":
            del systems["ComParE_2016 + SVM"]
        return self.make(systems)

    def svm(self):
        """Return the baseline, its C chosen on the validation speakers."""
        functionals = OpenSmileFunctionals("ComParE_2016")
        svm = SVC(kernel="linear")
        pipeline = make_pipeline(AudioLoader(), functionals, StandardScaler(), svm)
        grid = {"svc__C": [1e-4, 1e-3, 1e-2, 1e-1]}
        return HoldoutSearchCV(pipeline, grid, cv=self.cv.inner())

    def leow(self, network, **parameters):
        """Return a network on 20 MFCCs, as in Leow (2021)."""
        mfcc = MFCC(n_mfcc=20, n_fft=2048, hop_length=512, convention="torchaudio")
        network = network(**parameters, **self.training)
        return make_pipeline(*front_end(), WienerFilter(), mfcc, network)

    def cldnn(self, convolution):
        """Return one of the four types of convolution."""
        widths = WIDTHS[self.scale]["cldnn"].get(convolution, {})
        return on_log_mel(CLDNNClassifier(convolution, **widths, **self.training))


def main(arguments=None) -> None:
    arguments, corpora = parse(make_parser(__doc__, results="results/networks"), arguments)
    for name in corpora:
        protocol = Protocol(name, arguments)
        tables = [protocol.systems()]
        protocol.estimate(tables) if arguments.dry_run else protocol.compare(tables)


if __name__ == "__main__":
    main()
