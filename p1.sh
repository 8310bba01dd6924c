. /work/exp/run.sh; NICE=10
run tune.log --corpora emodb --features mfcc --tune --folds 0 2
