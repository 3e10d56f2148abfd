#include "hooks/engines/temporal/sdk.h"

struct sg_temporal_sdk sg_temporal_sdk;
