enum SouthboundPlaceholder {}
