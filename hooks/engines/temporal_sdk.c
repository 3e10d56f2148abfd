#include "hooks/engines/temporal_sdk.h"

struct sg_temporal_sdk sg_temporal_sdk;
