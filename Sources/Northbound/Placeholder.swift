enum NorthboundPlaceholder {}
