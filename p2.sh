. /work/exp/run.sh; NICE=15
run paper.log --corpora emodb --features mfcc --scale paper --gammas 3.33
