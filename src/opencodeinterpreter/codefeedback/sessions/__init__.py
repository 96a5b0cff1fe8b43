"""From a person's own sessions to dialogs, without what is nobody's business."""
