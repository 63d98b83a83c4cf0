# Builds the plugin below build/; ALMANAC_ENGINE is where component_abi.h is.
set -e
cmake -S . -B build -DCMAKE_BUILD_TYPE=Release -DALMANAC_ENGINE="$(cd ../../engine && pwd)"
cmake --build build
